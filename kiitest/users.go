package kiitest

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// registerAndLogin is the registration whose reply carries a token.
const registerAndLogin = "RegistrationAndAuthorizationRequest"

// getUser reads a user's record: the public part of another's, the whole of the caller's own or for
// an administrator.
func (s *Server) getUser(c *call) answer {
	a, refused := c.target()
	record := kiiType("UserDataRetrievalResponse")
	switch {
	case refused != nil:
		return *refused
	case c.principal == a || c.admin:
		return jsonAnswer(http.StatusOK, record, s.record(a))
	case c.principal == nil || !s.assumes(OtherUsersAreReadable):
		return c.unauthorized("the call needs a token of %s", a.name())
	}
	return jsonAnswer(http.StatusOK, record, s.publicRecord(a))
}

// publicRecord is what everybody may read of a user.
func (s *Server) publicRecord(a *account) map[string]any {
	body := map[string]any{"userID": a.ID, "internalUserID": a.order, "_disabled": a.Disabled}
	for name, value := range a.Fields {
		body[name] = value
	}
	if !s.assumes(DisabledIsBoolean) {
		body["_disabled"] = strconv.FormatBool(a.Disabled)
	}
	addTexts(body, map[string]string{"loginName": a.LoginName, "displayName": a.DisplayName, "country": a.Country})
	return body
}

// record is the whole of a user.
func (s *Server) record(a *account) map[string]any {
	body := s.publicRecord(a)
	body["_hasPassword"] = a.Password != ""
	if a.Email != "" {
		body["emailAddressVerified"] = a.EmailVerified
	}
	if a.Phone != "" {
		body["phoneNumberVerified"] = a.PhoneVerified
	}
	addTexts(body, map[string]string{
		"locale": a.Locale, "emailAddress": a.Email, "phoneNumber": a.Phone, "_emailAddressPending": a.PendingEmail, "_phoneNumberPending": a.PendingPhone,
	})
	return body
}

// addTexts adds the texts that are not empty.
func addTexts(body map[string]any, texts map[string]string) {
	for name, text := range texts {
		if text != "" {
			body[name] = text
		}
	}
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
		case c == '\\': // in a string
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
			return c.invalidInput("phoneNumber", "must be international, or local with a country that leaves no doubt")
		}
		a.Phone = number
	}
	withLogin := c.hasType(kiiType(registerAndLogin))
	if a.LoginName == "" && a.Email == "" && a.Phone == "" && !withLogin {
		if s.assumes(NamelessIsInvalidInput) {
			return c.invalidInput("loginName", "is missing, and so are emailAddress and phoneNumber")
		}
		c.because("the body has no loginName, emailAddress or phoneNumber")
		return failure(http.StatusBadRequest, "NoAccountProvidedException", "NO_ACCOUNT_PROVIDED", "The user has no login name, email address or phone number", nil)
	}
	usable := a.LoginName != "" || a.Email != "" && !s.settings.VerifyEmail || a.Phone != "" && !s.settings.VerifyPhone
	if !usable && !withLogin { // the sign-up guide calls it an error; a user who is logged in at once has a token
		return c.invalidInput("loginName", "is missing, and the settings ask for verification before an address names the user")
	}
	if a.Password != "" || !withLogin {
		if refused := c.checkPassword(nil, a.Password); refused != nil {
			return *refused
		}
	}
	a.EmailVerified = a.Email != "" && !s.settings.VerifyEmail && s.assumes(VerifiedUnlessRequired)
	a.PhoneVerified = a.Phone != "" && !s.settings.VerifyPhone && s.assumes(VerifiedUnlessRequired)
	for _, address := range s.addresses(a) {
		if s.owner(address) != nil {
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
	if s.assumes(RegistrationTellsRecord) {
		reply = s.record(a)
	}
	if withLogin {
		access := s.newToken(c.now, a)
		reply["_accessToken"] = access.value
		if access.pair != nil {
			reply["_refreshToken"] = access.pair.value
		}
	}
	ok := jsonAnswer(http.StatusCreated, kiiType("RegistrationResponse"), reply)
	ok.set("Location", s.origin+apiPath+"/apps/"+s.appID+"/users/"+a.ID)
	return ok
}

// changePassword changes the password of a logged-in user who gives the old one, or for an
// administrator, which needs none. All tokens of the user end, the caller's too.
func (s *Server) changePassword(c *call) answer {
	body, refused := c.texts("oldPassword", "newPassword")
	if refused != nil {
		return *refused
	}
	oldPassword, oldGiven := body["oldPassword"]
	newPassword, newGiven := body["newPassword"]
	ignored := c.admin && s.assumes(AdminOldPasswordIsIgnored)
	a, refused := c.own()
	switch {
	case refused != nil:
		return *refused
	case a.Password == "":
		return c.noPassword(a)
	case !oldGiven && !c.admin:
		return c.invalidInput("oldPassword", "is missing")
	case !newGiven:
		return c.invalidInput("newPassword", "is missing")
	case oldGiven && oldPassword != a.Password && !ignored:
		return c.wrongPassword(a)
	}
	if oldGiven && ignored {
		c.because("oldPassword was ignored, as an administrator needs none")
	}
	differs := a
	if c.admin && s.assumes(AdminMayRepeatPassword) || !c.admin && !s.assumes(ChangedPasswordMustDiffer) {
		differs = nil
	}
	if refused := c.checkPassword(differs, newPassword); refused != nil {
		return *refused
	}
	s.setPassword(c, a, newPassword, nil)
	return noContent()
}
