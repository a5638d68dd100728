package kii_test

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-kii/kii"
)

// userHeader are all headers of a call with a token: no app key among them.
func userHeader() http.Header {
	return http.Header{"Accept": {"*/*"}, "Authorization": {"Bearer access-1"}, "User-Agent": {"kii-go/0.1.0"}}
}

func TestProfileSendsOneRequestWithTheToken(t *testing.T) {
	t.Parallel()
	c := newCloud(t, documented(t, "Profile_done"))
	p, err := c.session(t).Profile(t.Context())
	require.NoError(t, err)
	header := userHeader()
	header.Set("Cache-Control", "no-store") // or a shared cache would answer one user with another's data
	assert.Equal(t, request{http.MethodGet, "https://api.kii.com/api/apps/appId/users/me", header, ""}, c.last(t))
	assert.Equal(t, &kii.Profile{
		UserID: userID, LoginName: "alice", DisplayName: "Alice", Email: "alice@example.com", Phone: "+819012345678",
		Country: "JP", Locale: "ja", EmailVerified: true, PhoneVerified: true, HasPassword: new(true),
	}, p)
}

func TestProfileSaysOnlyWhatKiiCloudSaid(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]kii.Profile{
		`{"userID":"u"}`:                       {UserID: "u"},
		`{"userID":"u","_hasPassword":null}`:   {UserID: "u"},
		`{"userID":"u","_hasPassword":false}`:  {UserID: "u", HasPassword: new(false)},
		`{"userID":"u","_hasPassword":true}`:   {UserID: "u", HasPassword: new(true)},
		`{"userID":"u","_hasPassword":"no"}`:   {UserID: "u"},
		`{"userID":"u","phoneNumber":null}`:    {UserID: "u"},
		`{"userID":"u","_disabled":true}`:      {UserID: "u", Disabled: true},
		`{"userID":"u","_disabled":"true"}`:    {UserID: "u", Disabled: true},
		`{"userID":"u","_disabled":false}`:     {UserID: "u"},
		`{"userID":"u","_disabled":"false"}`:   {UserID: "u"},
		`{"userID":"u","_disabled":null}`:      {UserID: "u"},
		`{"userID":"u","_disabled":1}`:         {UserID: "u"},
		`{"userID":"u","_DISABLED":true}`:      {UserID: "u"},
		`{"userID":"u","displayName":{"a":1}}`: {UserID: "u"},

		`{"userID":"u","_emailAddressPending":"a@b","_phoneNumberPending":"+1234567"}`:   {UserID: "u", PendingEmail: "a@b", PendingPhone: "+1234567"},
		`{"userID":"u","_emailAddressPending":null,"_phoneNumberPending":""}`:            {UserID: "u"},
		`{"userID":"u","loginName":7,"emailAddressVerified":"yes","emailAddress":"a@b"}`: {UserID: "u", Email: "a@b"},
	} {
		t.Run(body, func(t *testing.T) {
			t.Parallel()
			c := newCloud(t, replyOf(200, body))
			s, err := c.User.Resume(kii.Token{AccessToken: "access-1"})
			require.NoError(t, err)
			p, err := s.Profile(t.Context())
			require.NoError(t, err)
			assert.Equal(t, want, *p)
		})
	}
}

// A user's record holds fields that the user's own program named, beside those of Kii Cloud.
func TestFieldsThatUsersNameCannotPassForKiiClouds(t *testing.T) {
	t.Parallel()
	c := newCloud(t, replyOf(200, `{
		"userID":"u", "USERID":"admin", "userid":"admin",
		"emailAddress":"me@example.com", "EmailAddress":"boss@example.com",
		"emailAddressVerified":false, "emailaddressverified":true,
		"phonenumberverified":true, "_HASPASSWORD":true}`))
	s, err := c.User.Resume(kii.Token{AccessToken: "access-1"})
	require.NoError(t, err)
	p, err := s.Profile(t.Context())
	require.NoError(t, err)
	assert.Equal(t, kii.Profile{UserID: "u", Email: "me@example.com"}, *p)
	assert.Equal(t, "u", s.UserID())
}

func TestProfileWithoutAUserIDIsUnexpectedWhoeverAsks(t *testing.T) {
	t.Parallel()
	for _, body := range []string{`{}`, `{"userID":""}`, `{"userID":7}`, `{"userid":"u"}`} {
		c := newCloud(t, replyOf(200, body))
		s, err := c.User.Resume(kii.Token{AccessToken: "access-1"})
		require.NoError(t, err)
		p, err := s.Profile(t.Context())
		require.ErrorIs(t, err, kii.ErrUnexpectedReply)
		assert.Nil(t, p)
	}
}

func TestProfileFillsInAMissingUserID(t *testing.T) {
	t.Parallel()
	c := newCloud(t, documented(t, "Profile_done"))
	s, err := c.User.Resume(kii.Token{AccessToken: "access-1", RefreshToken: "refresh-1", Expiry: expired})
	require.NoError(t, err)
	assert.Empty(t, s.UserID())
	_, err = s.Profile(t.Context())
	require.NoError(t, err)
	assert.Equal(t, userID, s.UserID())
	assert.True(t, s.Token() == kii.Token{UserID: userID, AccessToken: "access-1", RefreshToken: "refresh-1", Expiry: expired})
}

// A Profile that a program keeps or hands on has names of the library's own in its JSON.
func TestProfileMarshalsToJSONAndBack(t *testing.T) {
	t.Parallel()
	p := kii.Profile{
		UserID: "u", LoginName: "alice", DisplayName: "Alice", Country: "JP", Locale: "ja", Email: "a@b", EmailVerified: true,
		Phone: "+1234567", PhoneVerified: true, PendingEmail: "c@d", PendingPhone: "+7654321", HasPassword: new(false), Disabled: true,
	}
	data, err := json.Marshal(p)
	require.NoError(t, err)
	assert.JSONEq(t, `{"user_id":"u","login_name":"alice","display_name":"Alice","country":"JP","locale":"ja","email":"a@b","email_verified":true,
		"phone":"+1234567","phone_verified":true,"pending_email":"c@d","pending_phone":"+7654321","has_password":false,"disabled":true}`, string(data))
	var back kii.Profile
	require.NoError(t, json.Unmarshal(data, &back))
	assert.Equal(t, p, back)
}
