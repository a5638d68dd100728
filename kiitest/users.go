package kiitest

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"
)

// registerAndLogin is the registration whose reply carries a token.
const registerAndLogin = "RegistrationAndAuthorizationRequest"

// getUser reads a user's record: the whole of the caller's own, the public part of another's.
func (s *Server) getUser(c *call) answer {
	a, refused := c.target()
	switch {
	case refused != nil:
		return *refused
	case c.principal == nil, c.principal != a && !s.assumes(OtherUsersAreReadable):
		return c.unauthorized("the call needs a token of %s", a.name())
	}
	body := map[string]any{"userID": a.ID, "internalUserID": a.order, "_disabled": a.Disabled}
	for name, value := range a.Fields {
		body[name] = value
	}
	some := map[string]string{"loginName": a.LoginName, "displayName": a.DisplayName, "country": a.Country}
	if c.principal == a {
		body["_hasPassword"] = a.Password != ""
		some["locale"] = a.Locale
		some["emailAddress"] = a.Email
		some["phoneNumber"] = a.Phone
		some["_emailAddressPending"] = a.PendingEmail
		some["_phoneNumberPending"] = a.PendingPhone
		if a.Email != "" {
			body["emailAddressVerified"] = a.EmailVerified
		}
		if a.Phone != "" {
			body["phoneNumberVerified"] = a.PhoneVerified
		}
	}
	for name, value := range some {
		if value != "" {
			body[name] = value
		}
	}
	return jsonAnswer(http.StatusOK, kiiType("UserDataRetrievalResponse"), body)
}

// accountFields are the fields of a user's record that an account does not keep as its own.
func accountFields() []string {
	return []string{
		"userID", "internalUserID", "loginName", "displayName", "country", "locale", "emailAddress", "emailAddressVerified",
		"phoneNumber", "phoneNumberVerified", "password",
	}
}

const (
	maxFields = 63 << 10 // bytes of what an app keeps with a user, names included: Kii Cloud's limit
	maxDepth  = 100      // levels of JSON in it, so that what holds an account can still be decoded
)

// validFields reports whether an app may keep the fields with a user.
func validFields(fields map[string]json.RawMessage) bool {
	size := 0
	for name, value := range fields {
		size += len(name) + len(value)
		if !validField(name) || !json.Valid(value) || !utf8.Valid(value) || depth(value) > maxDepth {
			return false
		}
	}
	return size < maxFields
}

// validField reports whether an app may keep a field of that name with its users.
func validField(name string) bool {
	return name != "" && utf8.ValidString(name) && !strings.HasPrefix(name, "_") && !slices.Contains(accountFields(), name)
}

// depth returns how deep arrays and objects are nested in valid JSON.
func depth(value []byte) int {
	deepest, open, quoted := 0, 0, false
	for i := 0; i < len(value); i++ {
		switch c := value[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '[' || c == '{':
			open++
			deepest = max(deepest, open)
		case c == ']' || c == '}':
			open--
		}
	}
	return deepest
}

// register adds an account. It is no login, unless the content type asks for both.
func (s *Server) register(c *call) answer {
	body, refused := c.anyObject()
	if refused != nil {
		return *refused
	}
	a := Account{Fields: make(map[string]json.RawMessage)}
	read := map[string]*string{
		"loginName": &a.LoginName, "displayName": &a.DisplayName, "country": &a.Country, "locale": &a.Locale,
		"emailAddress": &a.Email, "phoneNumber": &a.Phone, "password": &a.Password,
	}
	for name := range body {
		field := read[name]
		switch {
		case field != nil:
			if *field, _, refused = body.text(c, name); refused != nil {
				return *refused
			}
		case validField(name):
			a.Fields[name] = body[name]
		case name != "phoneNumberVerified": // which is the server's to say
			return c.invalidInput(fieldName(name), "is a field that an app cannot set")
		}
	}
	if a.Phone != "" {
		number, ok := international(a.Phone)
		if !ok {
			number, ok = international(a.Country + "-" + a.Phone)
		}
		if !ok {
			return c.invalidInput("phoneNumber", "must be international, or local with a country")
		}
		a.Phone = number
	}
	withLogin := c.hasType(kiiType(registerAndLogin))
	if a.LoginName == "" && a.Email == "" && a.Phone == "" && !withLogin {
		c.because("the body has no loginName, emailAddress or phoneNumber")
		return failure(http.StatusBadRequest, "NoAccountProvidedException", "NO_ACCOUNT_PROVIDED", "The user has no login name, email address or phone number", nil)
	}
	if a.Password != "" || !withLogin {
		if refused := c.checkPassword(nil, a.Password); refused != nil {
			return *refused
		}
	}
	a.EmailVerified = a.Email != "" && !s.settings.VerifyEmail && s.assumes(VerifiedUnlessRequired)
	a.PhoneVerified = a.Phone != "" && !s.settings.VerifyPhone && s.assumes(VerifiedUnlessRequired)
	for _, address := range s.addresses(a) {
		if s.byName[address] != nil {
			return c.alreadyExists(fieldOf(address.kind), address.value)
		}
	}
	id, err := s.put(a, &s.random)
	for _, wrong := range FieldErrors(err) {
		return c.invalidInput(bodyField(wrong.Field), wrong.Reason)
	}
	return s.registered(c, s.accounts[id], withLogin)
}

// bodyField is the name in a registration of a field of an [Account].
func bodyField(field string) string {
	switch field {
	case "Email":
		return "emailAddress"
	case "Phone":
		return "phoneNumber"
	default:
		return strings.ToLower(field[:1]) + field[1:]
	}
}

// registered answers a registration, after the codes that verify the new addresses went out.
func (s *Server) registered(c *call, a *account, withLogin bool) answer {
	if a.Email != "" && s.settings.VerifyEmail {
		s.sendCode(c, a, Email)
	}
	if a.Phone != "" && s.settings.VerifyPhone {
		s.sendCode(c, a, SMS)
	}
	reply := map[string]any{"userID": a.ID}
	if withLogin {
		t := &token{value: s.random.token(), account: a}
		s.keep(t)
		reply["_accessToken"] = t.value
	}
	ok := jsonAnswer(http.StatusCreated, kiiType("RegistrationResponse"), reply)
	ok.set("Location", s.origin+apiPath+"/apps/"+s.appID+"/users/"+a.ID)
	return ok
}

// changePassword changes the password of a logged-in user who gives the old one. All tokens end, the
// caller's too.
func (s *Server) changePassword(c *call) answer {
	body, refused := c.texts("oldPassword", "newPassword")
	if refused != nil {
		return *refused
	}
	oldPassword, oldGiven := body["oldPassword"]
	newPassword, newGiven := body["newPassword"]
	a, refused := c.own()
	switch {
	case refused != nil:
		return *refused
	case a.Password == "":
		return c.noPassword(a)
	case !oldGiven:
		return c.invalidInput("oldPassword", "is missing")
	case !newGiven:
		return c.invalidInput("newPassword", "is missing")
	case oldPassword != a.Password:
		return c.wrongPassword(a)
	}
	differs := a
	if !s.assumes(ChangedPasswordMustDiffer) {
		differs = nil
	}
	if refused := c.checkPassword(differs, newPassword); refused != nil {
		return *refused
	}
	s.setPassword(c, a, newPassword, nil)
	return noContent()
}
