package emulator

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-kii/kii/kiitest"
)

func TestTheFormOfAUserAddsEditsAndDeletes(t *testing.T) {
	t.Parallel()
	x := newTester(t)
	w := x.form("/users", url.Values{"email": {" bob@example.com "}, "emailVerified": {"on"}, "phoneVerified": {"on"}, "password": {"bobs-pass"}, "disabled": {"on"}})
	bob, found := x.srv.Account("bob@example.com")
	require.True(t, found)
	require.Equal(t, "/users?mark="+bob.ID+"&said=user-added", w.Header().Get("Location"))
	assert.True(t, bob.EmailVerified && bob.Disabled && !bob.PhoneVerified)
	x.shows(x.page(http.StatusOK, "/users?said=user-added&mark="+bob.ID), "The user is added.", `data-row="`+bob.ID+`" class="marked"`)

	page := x.page(http.StatusOK, "/users/"+bob.ID)
	x.shows(page, `value="bob@example.com"`, "<h1><bdi>bob@example.com</bdi></h1>", "<title>bob@example.com · Kii emulator</title>")
	x.shows(page, "Empty keeps the present one.", `name="noPassword"`, `href="/?q=to%3a`+bob.ID)
	x.hides(page, "bobs-pass")
	page = x.page(http.StatusOK, "/users/_new")
	x.shows(page, "Empty: a user without one", `name="emailVerified" checked`, `name="phoneVerified" checked`)
	x.hides(page, `name="noPassword"`)
	x.form("/users", url.Values{"id": {bob.ID}, "email": {"bob@example.com"}, "phone": {"+14085550100"}, "displayName": {"Bob"}})
	bob, _ = x.srv.Account(bob.ID)
	assert.True(t, bob.DisplayName == "Bob" && !bob.EmailVerified && !bob.PhoneVerified && !bob.Disabled)
	assert.Equal(t, "bobs-pass", bob.Password, "an empty field keeps the password")
	x.form("/users", url.Values{"id": {bob.ID}, "email": {"bob@example.com"}, "noPassword": {"on"}})
	bob, _ = x.srv.Account(bob.ID)
	assert.Empty(t, bob.Password)
	x.form("/users/delete", url.Values{"id": {bob.ID}, "sure": {"yes"}})
	assert.Len(t, x.srv.Accounts(), 1)
}

func TestUsersAreSearchedSortedAndPaged(t *testing.T) {
	t.Parallel()
	x := newTester(t)
	for i := range 220 {
		x.call(http.StatusCreated, "POST", "/users", fmt.Sprintf(`{"loginName":"user-%03d","displayName":"Number %d","email":"z%d@example.com","country":"JP","locale":"ja"}`, 219-i, i, i))
	}
	page := x.page(http.StatusOK, "/users")
	x.shows(page, "221 users, 1 to 100 shown", `href="/users?offset=100" rel="next"`, "login name user-219", "ja JP")
	x.shows(x.page(http.StatusOK, "/users?offset=100"), "101 to 200 shown", `href="/users" rel="prev"`, `href="/users?offset=200" rel="next"`)
	for _, offset := range []string{"200", "300"} { // the last page, also if all that stood on this one were deleted
		page := x.page(http.StatusOK, "/users?offset="+offset)
		x.shows(page, "201 to 221 shown", `href="/users?offset=100" rel="prev"`)
		x.hides(page, `rel="next"`)
	}
	x.shows(x.page(http.StatusOK, "/users?q=NUMBER+Z77@&offset=100"), "1 of 221 users matches")
	x.shows(x.page(http.StatusOK, "/users?q=is:passwordless+is:unverified"), "220 of 221 users match")
	x.shows(x.page(http.StatusOK, "/users?q=nothing&offset=100"), "No user matches")
	assert.Len(t, x.call(http.StatusOK, "GET", "/users?q=NUMBER+Z77@", "")["users"], 1)
	page = x.page(http.StatusOK, "/users?sort=name")
	assert.Less(t, strings.Index(page, ">alice<"), strings.Index(page, ">Number 0<"))
	x.shows(page, `aria-sort="ascending"`)
	x.shows(x.page(http.StatusOK, "/users?q=z&sort=email"), "220 of 221 users match", `href="/users?offset=100&amp;q=z&amp;sort=email" rel="next"`, `href="/users?q=z"`, `href="/users?q=z&amp;sort=phone"`)
}

func TestASearchForUsersKnowsItsWords(t *testing.T) {
	t.Parallel()
	whole := kiitest.Account{ID: "id-1", LoginName: "bob", DisplayName: "Bob B.", Email: alice, EmailVerified: true, Phone: phone, PhoneVerified: true, Country: "JP", Locale: "ja", Password: "pass"}
	for query, want := range map[string]bool{
		"": true, "ID-1": true, "bob": true, "b. jp": true, "ja +8190": true, "@example": true, "bob carol": false, "pass": false,
		"is:unverified": false, "is:disabled": false, "is:passwordless": false, "is:nothing": false,
	} {
		assert.Equal(t, want, matchesUser(whole, query), query)
	}
	for _, c := range []struct {
		query string
		user  kiitest.Account
		want  bool
	}{
		{"is:unverified", kiitest.Account{}, false},
		{"is:unverified", kiitest.Account{Email: alice, Phone: phone, PhoneVerified: true}, true},
		{"is:unverified", kiitest.Account{Email: alice, EmailVerified: true, Phone: phone}, true},
		{"is:unverified", kiitest.Account{Phone: phone, PhoneVerified: true}, false},
		{"IS:Disabled", kiitest.Account{Disabled: true}, true},
		{"is:passwordless is:disabled", kiitest.Account{Disabled: true}, true},
		{"is:passwordless is:disabled", kiitest.Account{}, false},
	} {
		assert.Equal(t, c.want, matchesUser(c.user, c.query), "%s: %+v", c.query, c.user)
	}
}

func TestAUserMayHaveTheIDNew(t *testing.T) {
	t.Parallel()
	x := newTester(t)
	x.call(http.StatusCreated, "POST", "/users", `{"id":"new","displayName":"Bob"}`)
	x.call(http.StatusUnprocessableEntity, "POST", "/users", `{"id":"_new"}`)
	x.shows(x.page(http.StatusOK, "/users/new"), "<h1><bdi>Bob</bdi></h1>")
	page := x.page(http.StatusOK, "/users")
	_, form, _ := strings.Cut(page, `<a class="button primary" href="`)
	form, _, _ = strings.Cut(form, `"`)
	x.shows(x.page(http.StatusOK, form), "<title>Add a user")
}

func TestUsersAreSortedByWhatAColumnShows(t *testing.T) {
	t.Parallel()
	x := newTester(t)
	x.call(http.StatusCreated, "POST", "/users", `{"displayName":"bob","email":"Zoe@example.com","phone":"+14085550100"}`)
	x.call(http.StatusCreated, "POST", "/users", `{"displayName":"Carol","email":"yan@example.com"}`)
	names := regexp.MustCompile(`data-open><bdi>([^<]*)</bdi>`)
	for sort, want := range map[string][]string{
		"": {"alice", "bob", "Carol"}, "name": {"alice", "bob", "Carol"}, "email": {"alice", "Carol", "bob"}, "phone": {"Carol", "bob", "alice"},
	} {
		var shown []string
		for _, match := range names.FindAllStringSubmatch(x.page(http.StatusOK, "/users?sort="+sort), -1) {
			shown = append(shown, match[1])
		}
		assert.Equal(t, want, shown, sort)
	}
}

func TestAUserIsSentWhatAPersonAsksFor(t *testing.T) {
	t.Parallel()
	x := newTester(t)
	x.shows(x.page(http.StatusOK, "/users"), `value="reset-pin"`, `value="reset-email"`)
	for i, kind := range []string{"reset-email", "reset-sms", "reset-pin"} {
		w := x.form("/users/send", url.Values{"id": {"alice-id"}, "kind": {kind}})
		assert.Equal(t, fmt.Sprintf("/messages/%d?n=%d&said=sent", i+1, i+1), w.Header().Get("Location"))
	}
	assert.Len(t, x.srv.Messages(), 3)
	x.call(http.StatusCreated, "POST", "/users", `{"id":"bob","loginName":"bob","email":"bob@example.com","password":"pass"}`)
	w := x.form("/users/send", url.Values{"id": {"bob"}, "kind": {"reset-email"}})
	assert.Equal(t, http.StatusUnprocessableEntity, w.Code)
	x.shows(w.Body.String(), "is not set, and a reset goes to a verified address only")
	w = x.form("/users/send", url.Values{"id": {"bob"}, "kind": {"verify-email"}})
	assert.Equal(t, "/messages/4?n=4&said=sent", w.Header().Get("Location"))
	x.hides(x.page(http.StatusOK, "/users/bob"), `value="reset-pin"`)
}
