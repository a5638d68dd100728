package emulator

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/go-kii/kii/kiitest"
)

const usersShown = 100 // on a page

// A userView is a user as the list shows it.
type userView struct {
	kiitest.Account
	Name   string
	Marked bool // just added or saved
}

// nameOf is what a person calls a user by.
func nameOf(a kiitest.Account) string {
	return cmp.Or(a.DisplayName, a.LoginName, a.Email, a.Phone, a.ID)
}

// A usersView is the page of users.
type usersView struct {
	frame
	Query       string
	Users       []userView
	All, Total  int // users; that match
	First, Last int
	Sort        string
	Columns     []column
	Previous    string
	Next        string
}

// A column is what the list can be sorted by.
type column struct {
	Name    string
	Path    string
	Sorted  bool // by this one
	Sorting string
}

// userOrders are the ways to sort the users. As they were added is the default.
var userOrders = []struct {
	name, label string
	key         func(kiitest.Account) string
}{
	{"name", "Name", func(a kiitest.Account) string { return strings.ToLower(nameOf(a)) }},
	{"email", "E-mail", func(a kiitest.Account) string { return strings.ToLower(a.Email) }},
	{"phone", "Phone", func(a kiitest.Account) string { return a.Phone }},
}

func (e *emulator) showUsers(w http.ResponseWriter, r *http.Request) error {
	query := r.URL.Query()
	v := usersView{frame: e.newFrame(r, "/users", "Users"), Query: strings.TrimSpace(query.Get("q")), Sort: query.Get("sort")}
	offset, err := intParam(query, "offset", 0, 0, maxUsers)
	if err != nil {
		return err
	}
	v.All = v.Tabs[1].Count
	found := e.findUsers(v.Query)
	v.Total = len(found)
	for _, order := range userOrders {
		if order.name == v.Sort {
			slices.SortStableFunc(found, func(a, b kiitest.Account) int { return cmp.Compare(order.key(a), order.key(b)) })
		}
		c := column{Name: order.label, Path: usersPath(v.Query, order.name, 0), Sorted: order.name == v.Sort, Sorting: "none"}
		if c.Sorted {
			c.Path, c.Sorting = usersPath(v.Query, "", 0), "ascending"
		}
		v.Columns = append(v.Columns, c)
	}
	offset = min(offset, max(0, v.Total-1)/usersShown*usersShown) // the last page, if those of this one are gone
	shown := found[offset:min(offset+usersShown, v.Total)]
	for _, a := range shown {
		v.Users = append(v.Users, userView{a, nameOf(a), a.ID == query.Get("mark")})
	}
	v.First, v.Last = offset+1, offset+len(shown)
	if offset > 0 {
		v.Previous = usersPath(v.Query, v.Sort, offset-usersShown)
	}
	if v.Last < v.Total {
		v.Next = usersPath(v.Query, v.Sort, v.Last)
	}
	render(w, http.StatusOK, "users", v)
	return nil
}

// findUsers returns the users that a search finds, as they were added.
func (e *emulator) findUsers(query string) []kiitest.Account {
	return slices.DeleteFunc(e.srv.Accounts(), func(a kiitest.Account) bool { return !matchesUser(a, query) })
}

// matchesUser reports whether a user has the text in a name, an address, the ID, the country or the
// locale, or is what the words no-password, disabled and unverified ask for.
func matchesUser(a kiitest.Account, query string) bool {
	all := strings.ToLower(strings.Join([]string{a.ID, a.LoginName, a.DisplayName, a.Email, a.Phone, a.Country, a.Locale}, "\n"))
	for word := range strings.FieldsSeq(strings.ToLower(query)) {
		holds := strings.Contains(all, word)
		switch word {
		case "is:disabled":
			holds = a.Disabled
		case "is:unverified":
			holds = a.Email != "" && !a.EmailVerified || a.Phone != "" && !a.PhoneVerified
		case "is:passwordless":
			holds = a.Password == ""
		}
		if !holds {
			return false
		}
	}
	return true
}

func usersPath(q, sort string, offset int) string {
	query := url.Values{}
	if q != "" {
		query.Set("q", q)
	}
	if sort != "" {
		query.Set("sort", sort)
	}
	if offset > 0 {
		query.Set("offset", strconv.Itoa(offset))
	}
	return (&url.URL{Path: "/users", RawQuery: query.Encode()}).String()
}

// A userDetail is the page of one user, or of a new one.
type userDetail struct {
	frame
	User     kiitest.Account // its ID is empty for a new one
	Name     string
	Fields   []field
	Sendings []sending
	Query    string // that finds the user's messages
}

// userFields is the form of a user. It does not hold the password.
func userFields(a kiitest.Account) []field {
	password := field{Name: "password", Label: "Password", Hint: "Empty: a user without one, as from a social login."}
	if a.ID != "" {
		password.Hint = "Empty keeps the present one."
		password.Also = []field{{Name: "noPassword", Label: "Take the password away", Type: "checkbox"}}
	}
	return []field{
		{
			Name: "email", Label: "E-mail", Mode: "email", Value: a.Email, Placeholder: "alice@example.com",
			Also: []field{{Name: "emailVerified", Label: "E-mail verified", Type: "checkbox", On: a.EmailVerified}},
		},
		{
			Name: "phone", Label: "Phone", Mode: "tel", Value: a.Phone, Placeholder: "+819012341234",
			Also: []field{{Name: "phoneVerified", Label: "Phone verified", Type: "checkbox", On: a.PhoneVerified}},
		},
		password,
		{Name: "loginName", Label: "Login name", Value: a.LoginName},
		{Name: "displayName", Label: "Display name", Value: a.DisplayName},
		{Name: "locale", Label: "Locale", Value: a.Locale, Placeholder: "ja", Hint: "Chooses the template of a message."},
		{Name: "country", Label: "Country", Value: a.Country, Placeholder: "JP"},
		{Name: "disabled", Label: "Disabled", Type: "checkbox", On: a.Disabled},
	}
}

func (e *emulator) userPage(r *http.Request, a kiitest.Account) userDetail {
	if a.ID == "" {
		return userDetail{frame: e.newFrame(r, "/users", "Add a user"), Fields: userFields(a)}
	}
	v := userDetail{frame: e.newFrame(r, "/users", nameOf(a)), User: a, Name: nameOf(a), Fields: userFields(a), Sendings: sendingsOf(a)}
	v.Here = "/users/" + a.ID
	v.Query = "to:" + a.ID
	return v
}

func (e *emulator) showNewUser(w http.ResponseWriter, r *http.Request) error {
	v := e.userPage(r, kiitest.Account{})
	v.Fields = userFields(kiitest.Account{EmailVerified: true, PhoneVerified: true})
	render(w, http.StatusOK, "user", v)
	return nil
}

func (e *emulator) showUser(w http.ResponseWriter, r *http.Request) error {
	a, err := e.account(r.PathValue("id"))
	if err != nil {
		return err
	}
	render(w, http.StatusOK, "user", e.userPage(r, a))
	return nil
}

// formUser adds a user, or changes the one whose ID the form holds.
func (e *emulator) formUser(w http.ResponseWriter, r *http.Request) error {
	form := formReader{form: r.PostForm}
	var a kiitest.Account
	if id := r.PostForm.Get("id"); id != "" {
		known, err := e.account(id)
		if err != nil {
			return err
		}
		a = known
	}
	page := e.userPage(r, a)
	for name, value := range map[string]*string{
		"email": &a.Email, "phone": &a.Phone, "loginName": &a.LoginName, "displayName": &a.DisplayName, "country": &a.Country, "locale": &a.Locale,
	} {
		*value = form.text(name)
	}
	a.EmailVerified = r.PostForm.Has("emailVerified") && a.Email != ""
	a.PhoneVerified = r.PostForm.Has("phoneVerified") && a.Phone != ""
	a.Disabled = r.PostForm.Has("disabled")
	a.Password = cmp.Or(r.PostForm.Get("password"), a.Password)
	if r.PostForm.Has("noPassword") {
		a.Password = ""
	}
	said, do := "user-added", e.add
	if a.ID != "" {
		said, do = "user-saved", e.replace
	}
	a, err := do(a)
	if err != nil {
		page.refuse(err, labels(page.Fields))
		page.Fields = fill(page.Fields, r.PostForm, page.Wrong)
		render(w, statusOf(err), "user", page)
		return nil
	}
	return redirectBack(w, r, "/users", said, "mark", a.ID)
}

func (e *emulator) formDeleteUser(w http.ResponseWriter, r *http.Request) error {
	a, err := e.account(r.PostForm.Get("id"))
	if err != nil {
		return err
	}
	text := "The user " + nameOf(a) + " will be gone, with all sessions, PINs and links."
	if e.ask(w, r, text, "Delete the user", "/users") {
		return nil
	}
	if !e.srv.DeleteAccount(a.ID) {
		return notFound("user any more")
	}
	r.PostForm.Del("back") // the user's own page is gone
	return redirectBack(w, r, "/users", "user-deleted")
}
