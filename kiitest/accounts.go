package kiitest

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"unicode/utf8"
)

// An Account is a user of the app. It prints without what identifies the user.
type Account struct {
	ID            string                     `json:"id"`                  // 1 to 64 letters, digits, ., _ or -; made if empty
	LoginName     string                     `json:"loginName,omitempty"` // 3 to 64 letters, digits, -, _ or .
	DisplayName   string                     `json:"displayName,omitempty"`
	Email         string                     `json:"email,omitempty"`
	Phone         string                     `json:"phone,omitempty"`    // +819012341234, JP-09012341234 or JP-9012341234; kept in the first form
	Country       string                     `json:"country,omitempty"`  // ISO 3166, such as JP
	Locale        string                     `json:"locale,omitempty"`   // such as ja or zh-TW; picks the message template
	Password      string                     `json:"password,omitempty"` // 4 to 50 printable ASCII characters; empty: none, as for a user of a social network
	Fields        map[string]json.RawMessage `json:"fields,omitempty"`   // what an app keeps with its users beyond these; below 63 KB
	EmailVerified bool                       `json:"emailVerified"`
	PhoneVerified bool                       `json:"phoneVerified"`
	PendingEmail  string                     `json:"pendingEmail,omitempty"` // takes the place of Email once it is verified
	PendingPhone  string                     `json:"pendingPhone,omitempty"` // the same for Phone; written as Phone is
	Disabled      bool                       `json:"disabled"`
}

// Format prints only the account's flags, whatever the verb.
func (a Account) Format(f fmt.State, _ rune) {
	fmt.Fprintf(f, "Account{email: %s, phone: %s, password: %t, disabled: %t}",
		addressState(a.Email, a.EmailVerified), addressState(a.Phone, a.PhoneVerified), a.Password != "", a.Disabled)
}

func addressState(value string, verified bool) string {
	switch {
	case value == "":
		return "none"
	case verified:
		return "verified"
	default:
		return "unverified"
	}
}

// account is a user as the server keeps it.
type account struct {
	Account
	order      int // as they were added
	pins       []*message
	links      []*message
	wrongPINs  int // since the newest PIN
	emailCodes []*message
	phoneCodes []*message
	tokens     []*token
}

func (a *account) copy() Account {
	c := a.Account
	c.Fields = maps.Clone(c.Fields)
	for name, value := range c.Fields {
		c.Fields[name] = slices.Clone(value)
	}
	return c
}

// AddAccount adds a user to the app and returns the user ID. It panics if the account is not valid,
// or if its ID or one of its names is taken: another account has the login name, or has the address
// verified. A program that takes accounts from a person calls [Server.PutAccount].
func (s *Server) AddAccount(a Account) (id string) {
	defer s.lock("AddAccount")()
	var err error = &FieldError{"Account", "ID", "is taken"}
	if _, taken := s.accounts[a.ID]; !taken {
		id, err = s.put(a, &s.random)
	}
	if err != nil {
		panic(err.Error())
	}
	return id
}

// PutAccount adds a user to the app, or replaces the one that has the account's ID, and returns the
// user ID. Tokens and pending resets of a replaced account stay, even if it is now disabled; see
// [Server.SetDisabled]. An error is that of [Account.Validate], or a [FieldError] for each name
// that is taken; then nothing changes.
func (s *Server) PutAccount(a Account) (id string, err error) {
	defer s.lock("PutAccount")()
	return s.put(a, &s.random)
}

// DeleteAccount removes a user with all tokens, and reports whether there was one. The id is a user
// ID or an address.
func (s *Server) DeleteAccount(id string) bool {
	defer s.lock("DeleteAccount")()
	a := s.find(id)
	if a == nil {
		return false
	}
	s.remove(a)
	return true
}

func (s *state) remove(a *account) {
	a.endTokens(true, a.name()+" was deleted")
	a.endPending(nil)
	for _, by := range []Channel{Email, SMS} {
		s.contact(a, by).endCodes(Replaced)
	}
	for _, address := range s.addresses(a.Account) {
		s.drop(a, address)
	}
	delete(s.accounts, a.ID)
}

// Account returns a user by user ID or address, verified or not: alice@example.com,
// EMAIL:alice@example.com, +819012341234, PHONE:JP-09012341234, alice or LOGIN_NAME:alice.
func (s *Server) Account(id string) (Account, bool) {
	defer s.lock("Account")()
	a := s.find(id)
	if a == nil {
		return Account{}, false
	}
	return a.copy(), true
}

// Accounts returns all users, as they were added.
func (s *Server) Accounts() []Account {
	defer s.lock("Accounts")()
	return s.allAccounts()
}

func (s *state) allAccounts() []Account {
	var all []Account
	for _, a := range s.byOrder() {
		all = append(all, a.copy())
	}
	return all
}

// byOrder returns the accounts as they were added.
func (s *state) byOrder() []*account {
	return slices.SortedFunc(maps.Values(s.accounts), func(a, b *account) int { return cmp.Compare(a.order, b.order) })
}

// Validate returns nil, or an error that joins a [FieldError] for each field that is not valid. It
// does not know which names are taken. What a registration over HTTP accepts is valid here, and
// vice versa.
func (a Account) Validate() error {
	v := validation{of: "Account"}
	v.check(a.ID == "" || validUserID(a.ID), "ID", "must be 1 to 64 letters, digits, '.', '_' or '-', start with a letter or digit, and not be me")
	v.check(a.LoginName == "" || validLoginName(a.LoginName), "LoginName", "must be 3 to 64 letters, digits, '-', '_' or '.'")
	v.check(utf8.ValidString(a.DisplayName), "DisplayName", "must be UTF-8")
	v.check(a.Email == "" || validEmail(a.Email), "Email", "must be name@host without spaces or colons before the @, and at most 256 bytes")
	_, phone := international(a.Phone)
	v.check(a.Phone == "" || phone, "Phone", "must be + and 7 to 20 digits, or a country and a local number as in JP-09012341234; "+
		"a local number that is ambiguous must be written with +")
	v.check(a.Country == "" || validCountry(a.Country), "Country", "must be two capital letters")
	v.check(utf8.ValidString(a.Locale), "Locale", "must be UTF-8")
	v.check(a.Password == "" || validPassword(a.Password), "Password", "must be %d to %d printable ASCII characters", minPassword, maxPassword)
	v.check(a.Email != "" || !a.EmailVerified, "EmailVerified", "cannot be set without an Email")
	v.check(a.Phone != "" || !a.PhoneVerified, "PhoneVerified", "cannot be set without a Phone")
	v.check(a.PendingEmail == "" || validEmail(a.PendingEmail), "PendingEmail", "must be an address as Email is")
	_, phone = international(a.PendingPhone)
	v.check(a.PendingPhone == "" || phone, "PendingPhone", "must be a number as Phone is")
	v.check(validFields(a.Fields), "Fields", "must be values of JSON in UTF-8, nested at most %d deep and below %d KB together, "+
		"under names without a leading _ that the account does not use itself", maxDepth, maxFields>>10)
	return v.err()
}

// put adds or replaces an account. The random source makes its ID if it has none.
func (s *state) put(a Account, random *generator) (string, error) {
	if err := a.Validate(); err != nil {
		return "", err
	}
	a.Phone, _ = international(a.Phone) // empty if there is none, as it was validated
	a.PendingPhone, _ = international(a.PendingPhone)
	if len(a.Fields) == 0 {
		a.Fields = nil
	}
	v := validation{of: "Account"}
	for _, address := range s.addresses(a) {
		owner := s.owner(address)
		taken := owner != nil && owner.ID != a.ID && (&account{Account: a}).verified(address)
		v.check(!taken, goField(address.kind), "is taken")
	}
	if err := v.err(); err != nil {
		return "", err
	}
	if a.ID == "" {
		a.ID = random.userID()
	}
	kept := s.accounts[a.ID]
	if kept == nil {
		s.order++
		kept = &account{order: s.order}
		s.accounts[a.ID] = kept
	}
	for _, address := range s.addresses(kept.Account) {
		s.drop(kept, address)
	}
	if !s.assumes(ResetsOutliveTheirAddress) {
		if a.Email != kept.Email {
			kept.endPendingBy(Email)
		}
		if a.Phone != kept.Phone {
			kept.endPendingBy(SMS)
		}
	}
	kept.Account = a
	kept.Account = kept.copy()
	for _, address := range s.addresses(a) {
		s.take(kept, address)
	}
	for _, by := range []Channel{Email, SMS} {
		if own := s.contact(kept, by); own.code() == nil {
			own.endCodes(Replaced) // no address that they went to is left to verify
		}
	}
	return a.ID, nil
}

// addresses lists what an account goes by.
func (s *state) addresses(a Account) []address {
	var all []address
	for _, one := range []address{{kindEmail, a.Email}, {kindPhone, a.Phone}, {kindLoginName, a.LoginName}} {
		if one.value != "" {
			all = append(all, one)
		}
	}
	return all
}

// find returns the account that a Go method asks for, or nil.
func (s *state) find(id string) *account {
	if a := s.accounts[id]; a != nil {
		return a
	}
	return s.holder(anyAddress(id))
}
