package emulator

import (
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-kii/kii/kiitest"
)

func TestTheEmptyPageTeachesTheFirstStep(t *testing.T) {
	t.Parallel()
	x := newTester(t)
	page := x.page(http.StatusOK, "/")
	x.shows(page, "Done: there is one.", "Ask for a reset", "users/PHONE:&#43;819012341234/password/request-reset")
	x.askPIN()
	x.hides(x.page(http.StatusOK, "/"), "Ask for a reset")
	x.shows(x.page(http.StatusOK, "/?q=channel:email"), "No message matches", "There is 1 in all.")
	x.call(http.StatusNoContent, "DELETE", "/users/alice-id", "")
	x.call(http.StatusNoContent, "DELETE", "/messages/1", "")
	page = x.page(http.StatusOK, "/")
	x.shows(page, "Someone to send to", "users/EMAIL:alice@example.com/password/request-reset")
	x.hides(page, "Done: there")
}

func TestTheFirstStepIsOfAUserWhoCanReset(t *testing.T) {
	t.Parallel()
	x := newTester(t)
	x.call(http.StatusNoContent, "DELETE", "/users/alice-id", "")
	for _, c := range []struct{ user, names, says string }{
		{`{"email":"a@example.com","emailVerified":true}`, "EMAIL:alice@example.com", `"EMAIL"`}, // has no password
		{`{"phone":"+14085550101","phoneVerified":true}`, "EMAIL:alice@example.com", `"EMAIL"`},
		{`{"email":"b@example.com","phone":"+14085550102","password":"pass"}`, "EMAIL:alice@example.com", `"EMAIL"`}, // is not verified
		{`{"email":"c@example.com","emailVerified":true,"phone":"+14085550103","phoneVerified":true,"password":"pass","disabled":true}`, "EMAIL:alice@example.com", `"EMAIL"`},
		{`{"email":"d@example.com","emailVerified":true,"password":"pass"}`, "EMAIL:d@example.com", `{"notificationMethod":"EMAIL"}`},
		{`{"phone":"+14085550104","phoneVerified":true,"password":"pass"}`, "EMAIL:d@example.com", `{"notificationMethod":"EMAIL"}`}, // is not the first
	} {
		x.call(http.StatusCreated, "POST", "/users", c.user)
		assert.Contains(t, x.curl(), "/users/"+c.names+"/password", c.user)
		assert.Contains(t, x.curl(), c.says, c.user)
	}
}

func TestTheListIsPaged(t *testing.T) {
	t.Parallel()
	x := newTester(t)
	for range 120 {
		x.askPIN()
	}
	first := x.page(http.StatusOK, "/?q=channel:sms")
	assert.Equal(t, pageSize, strings.Count(first, `<li class="message`))
	x.shows(first, `href="/?before=71&amp;q=channel%3Asms" rel="next"`, "1 to 50 shown")
	x.hides(first, `rel="prev"`)
	last := x.page(http.StatusOK, "/?before=21")
	assert.Equal(t, 20, strings.Count(last, `<li class="message`))
	x.shows(last, `href="/?before=71" rel="prev"`, "101 to 120 shown")
	x.hides(last, `rel="next"`)
	x.shows(x.page(http.StatusOK, "/?before=71"), `href="/" rel="prev"`, `href="/?before=21" rel="next"`)
}

func TestAPageOfOlderMessagesStaysWhatItIs(t *testing.T) {
	t.Parallel()
	x := newTester(t)
	for range 60 {
		x.askPIN()
	}
	x.shows(x.page(http.StatusOK, "/?before=11"), `id="m10"`)
	x.askPIN()
	page := x.page(http.StatusOK, "/?before=11")
	assert.Equal(t, 10, strings.Count(page, `<li class="message`))
	x.shows(page, `id="m10"`, `data-later="/"`)
}

func TestAPageWhoseMessagesAreGoneLeadsToTheNewer(t *testing.T) {
	t.Parallel()
	x := newTester(t)
	for range 60 {
		x.askPIN()
	}
	x.call(http.StatusOK, "DELETE", "/messages?before=11", "")
	x.shows(x.page(http.StatusOK, "/?before=11"), "No messages here", `href="/" rel="prev"`)
	x.shows(x.page(http.StatusOK, "/?q=channel:sms&before=11"), "No messages here", `href="/?q=channel%3Asms" rel="prev"`)
	page := x.page(http.StatusOK, "/?q=channel:email&before=11")
	x.shows(page, "No message matches")
	x.hides(page, `rel="prev"`)
}

func TestTheTimeLeftIsToldAndExpires(t *testing.T) {
	t.Parallel()
	x := newTester(t)
	x.askPIN()
	assert.Regexp(t, `>(10 min 0|9 min 5\d) s left<`, x.page(http.StatusOK, "/"))
	w := x.form("/clock", url.Values{"advance": {"10m"}, "back": {"/?q=is%3Aexpired"}})
	assert.Equal(t, http.StatusSeeOther, w.Code)
	assert.Equal(t, "/?q=is%3Aexpired", w.Header().Get("Location"))
	page := x.page(http.StatusOK, "/")
	x.shows(page, `<span class="state expired">expired</span>`)
	x.hides(page, " s left")
}

func TestAMessageExpiresByAPress(t *testing.T) {
	t.Parallel()
	x := newTester(t)
	x.askPIN()
	w := x.form("/messages/expire", url.Values{"id": {"1"}, "back": {"/"}})
	assert.Equal(t, "/?n=1&said=expired", w.Header().Get("Location"))
	page := x.page(http.StatusOK, "/?n=1&said=expired")
	x.shows(page, "Message 1 is expired.", `<span class="state expired">`, `data-here="/"`)
	assert.Equal(t, http.StatusConflict, x.form("/messages/expire", url.Values{"id": {"1"}}).Code)
	assert.Equal(t, http.StatusNotFound, x.form("/messages/expire", url.Values{"id": {"2"}}).Code)
}

func TestTimesAreWrittenForPeople(t *testing.T) {
	t.Parallel()
	now := time.Now()
	for d, want := range map[time.Duration]string{
		time.Millisecond: "1 s left", 59*time.Second + 1: "1 min 0 s left", 10 * time.Minute: "10 min 0 s left",
		time.Hour: "1 h 0 min left", 49 * time.Hour: "2 days left", 2147483647 * time.Second: "for ever",
	} {
		assert.Equal(t, want, timeLeft(now.Add(d), now), d)
	}
	for d, want := range map[time.Duration]string{
		0: "", 10 * time.Minute: "10 min", 25*time.Hour + 61*time.Second: "1 day 1 h", 25 * time.Hour: "1 day 1 h", 48*time.Hour + time.Second: "2 days 1 s", 90 * time.Second: "1 min 30 s",
	} {
		assert.Equal(t, want, span(d), d)
	}
	now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.FixedZone("", 9*3600)) // 03:00 in UTC
	for at, want := range map[time.Time]string{
		now: "03:00:00", now.Add(-4 * time.Hour): "Feb 28 23:00", now.AddDate(1, 0, 0): "2027-03-01 03:00", now.AddDate(-1, 0, 0): "2025-03-01 03:00",
	} {
		assert.Equal(t, want, clockTime(at, now))
	}
	assert.Equal(t, "1,234,567", thousands(1234567))
	assert.Equal(t, "999", thousands(999))
}

func TestMessagesAreDeletedOneMatchingOrAll(t *testing.T) {
	t.Parallel()
	x := newTester(t)
	for range 4 {
		x.askPIN()
	}
	x.form("/messages/delete", url.Values{"id": {"2"}})
	assert.Len(t, x.srv.Messages(), 3)
	w := x.form("/messages/delete", url.Values{"q": {"is:replaced"}, "sure": {"yes"}})
	assert.Equal(t, "/?n=2&said=messages-deleted", w.Header().Get("Location"))
	assert.Len(t, x.srv.Messages(), 1)
	for _, fields := range []url.Values{{"q": {"is:nonsense"}}, {"up-to": {"x"}}} {
		fields.Set("sure", "yes")
		w = x.form("/messages/delete", fields)
		assert.Equal(t, http.StatusUnprocessableEntity, w.Code)
	}
	for _, id := range []string{"", "x", "9"} {
		w = x.form("/messages/delete", url.Values{"id": {id}, "sure": {"yes"}})
		assert.Equal(t, http.StatusNotFound, w.Code, id)
	}
	assert.Len(t, x.srv.Messages(), 1, "a form that makes no sense deletes nothing")
	x.form("/messages/delete", url.Values{"sure": {"yes"}})
	assert.Empty(t, x.srv.Messages())
}

func TestWhatCameAfterTheQuestionIsNotDeleted(t *testing.T) {
	t.Parallel()
	x := newTester(t)
	x.askPIN()
	x.askPIN()
	fields := hiddenFields(x.form("/messages/delete", url.Values{"q": {"channel:sms"}}).Body.String())
	x.askPIN()
	x.shows(x.form("/messages/delete", url.Values{"up-to": {"2"}}).Body.String(), "2 messages will be gone") // the page showed two
	fields.Set("sure", "yes")
	x.form("/messages/delete", fields)
	left := x.srv.Messages()
	assert.Len(t, left, 1)
	assert.Equal(t, 3, left[0].ID)
}

func TestAMessageHasAPageWithTheWholeTextAndItsCall(t *testing.T) {
	t.Parallel()
	x := newTester(t)
	text := "The first line with ${pin}\n" + strings.Repeat("a line\n", 40) + "https://example.com/at-the-end"
	x.srv.SetSettings(func(s *kiitest.Settings) {
		s.Templates = []kiitest.Template{{Purpose: kiitest.ResetPIN, Channel: kiitest.SMS, Locale: "en", Text: text}}
	})
	m := x.askPIN()
	x.hides(x.page(http.StatusOK, "/"), "<bdi>"+m.Text)
	x.shows(x.page(http.StatusOK, "/"), "https://example.com/at-the-end</p>", `href="/messages/1"`)
	page := x.page(http.StatusOK, "/messages/1")
	x.shows(page, "https://example.com/at-the-end</p>", m.PIN, `href="/users/alice-id"`, `<a href="/calls/1">Call 1</a>`, "204 in ", "reset PIN", "SMS")
	x.call(http.StatusCreated, "POST", "/users/alice-id/send", `{"kind":"reset-email"}`)
	page = x.page(http.StatusOK, "/messages/2")
	x.shows(page, "No call of an app sent it", `href="/messages/1" rel="next"`, `class="link" readonly`)
	x.shows(x.page(http.StatusOK, "/messages/1"), `href="/messages/2" rel="prev"`)
}

func TestWhatAPersonCopiesFromAMessageIsBesideIt(t *testing.T) {
	t.Parallel()
	x := newTester(t)
	x.call(http.StatusCreated, "POST", "/users", `{"id":"bob","email":"bob@example.com","phone":"+14085550100"}`)
	x.call(http.StatusOK, "PATCH", "/settings", `{"resetFlow":"GENERATE"}`)
	pin := x.askPIN().PIN
	x.kii(http.MethodPost, "/users/alice-id/password/complete-reset", "application/vnd.kii.CompletePasswordResetRequest+json", `{"pinCode":"`+pin+`"}`)
	x.call(http.StatusCreated, "POST", "/users/bob/send", `{"kind":"verify-phone"}`)
	sent := x.srv.Messages()
	require.Len(t, sent, 3)
	for i, secret := range []string{sent[2].PIN, sent[1].Password, sent[0].Code} {
		name := []string{"PIN", "password", "code"}[i]
		require.NotEmpty(t, secret, name)
		copies := fmt.Sprintf(`data-copy="%s" aria-label="Copy the %s of message %d"`, template.HTMLEscapeString(secret), name, i+1)
		for _, target := range []string{"/", fmt.Sprintf("/messages/%d", i+1)} {
			page := x.page(http.StatusOK, target)
			x.shows(page, copies)
			x.hides(page, `data-copy=""`)
		}
	}
}

func TestTheQuestionBeforeADeletionSaysWhatMatches(t *testing.T) {
	t.Parallel()
	x := newTester(t)
	x.askPIN()
	x.shows(x.page(http.StatusOK, "/"), `data-ask="Delete this message?"`)
	x.shows(x.page(http.StatusOK, "/?q=is:pending"), `data-ask="Delete this message?"`)
	x.askPIN()
	x.shows(x.page(http.StatusOK, "/"), `data-ask="Delete all 2 messages?"`)
	x.shows(x.page(http.StatusOK, "/?q=channel:sms"), `data-ask="Delete the 2 messages that match?"`)
}

func TestAMessageToAUserWhoIsGoneLeadsToNoUser(t *testing.T) {
	t.Parallel()
	x := newTester(t)
	x.askPIN()
	x.srv.DeleteAccount("alice-id")
	x.hides(x.page(http.StatusOK, "/messages/1"), `href="/users/alice-id"`)
}

func TestChipsSetAndTakeAwayAFilter(t *testing.T) {
	t.Parallel()
	x := newTester(t)
	x.askPIN()
	page := x.page(http.StatusOK, "/?q=is:used+hello")
	x.shows(x.page(http.StatusOK, "/?q=IS:Used"), `href="/" aria-current="true">is:used`)
	x.shows(page, `href="/?q=hello&#43;is%3Apending"`, `href="/?q=hello" aria-current="true">is:used`, `href="/?q=is%3Aused&#43;hello&#43;channel%3Asms"`)
}

func TestPreviewsAreOneShortLine(t *testing.T) {
	t.Parallel()
	assert.Equal(t, "a b c", preview("a\n b\t\tc\n"))
	long := preview(strings.Repeat("日本語", 100))
	assert.LessOrEqual(t, len(long), previewSize+len("…"))
	assert.True(t, strings.HasSuffix(long, "…"))
	assert.NotContains(t, long, "\uFFFD")
}

func TestWaitAnswersTheNextMessage(t *testing.T) {
	t.Parallel()
	x := newTester(t)
	for range 3 {
		x.askPIN()
	}
	for after, want := range map[string]float64{"&after=0": 1, "&after=1": 2, "": 3} {
		assert.InDelta(t, want, x.call(http.StatusOK, "GET", "/messages/wait?timeout=0"+after, "")["id"], 0, after)
	}
	assert.InDelta(t, 3, x.call(http.StatusOK, "GET", "/messages/latest?after=1", "")["id"], 0)
}

func TestAResetEndsAWaitForTheNextMessage(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		x := newTester(t)
		x.askPIN()
		began := time.Now()
		next, newest := make(chan int), make(chan int)
		for target, status := range map[string]chan int{"/messages/wait?after=1": next, "/messages/wait?state=used": newest} {
			go func() { status <- x.do(http.MethodGet, apiRoot+target, "").Code }()
		}
		synctest.Wait()
		x.call(http.StatusNoContent, "POST", "/reset", "")
		require.Equal(t, http.StatusConflict, <-next)
		x.call(http.StatusUnprocessableEntity, "GET", "/messages/wait?after=1", "")
		x.call(http.StatusUnprocessableEntity, "GET", "/messages/wait?to=@", "") // can name nobody
		require.Zero(t, time.Since(began))
		require.Equal(t, http.StatusNoContent, <-newest, "it names no message that is gone")
		require.Equal(t, defaultWait, time.Since(began))
		x.askPIN()
		x.call(http.StatusNoContent, "GET", "/messages/wait?after=1", "")
	})
}

func TestAnEmptyFilterIsNoFilter(t *testing.T) {
	t.Parallel()
	x := newTester(t)
	x.askPIN()
	for _, query := range []string{"to=", "q=", "state=", "after=", "text=&channel=sms", "q=+", "text=%20", "to=%09"} {
		answer := x.call(http.StatusUnprocessableEntity, "DELETE", "/messages?"+query, "")
		assert.Contains(t, answer["error"], "is empty", query)
	}
	assert.Len(t, x.srv.Messages(), 1)
	x.call(http.StatusOK, "GET", "/messages/latest?to=+819012341234", "")
}
