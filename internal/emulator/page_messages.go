package emulator

import (
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/go-kii/kii/kiitest"
)

const (
	pageSize    = 50  // messages on a page
	previewSize = 160 // bytes of a message's text in the list, about
)

// A messageView is a message as the list and its own page show it.
type messageView struct {
	kiitest.Message
	Preview string // the beginning of the text, in one line
	User    string // what the recipient is called; empty: the user is gone
	Live    bool   // what it holds works
	Left    string // for how long
	Here    string // where its forms come back to
}

// Secrets are what a person copies from a message.
func (m messageView) Secrets() []secret {
	var all []secret
	for _, s := range []secret{{"PIN", m.PIN}, {"code", m.Code}, {"password", m.Password}} {
		if s.Value != "" {
			all = append(all, s)
		}
	}
	return all
}

// A secret is a PIN, a code or a password.
type secret struct{ Name, Value string }

// Kind is what the message was sent for, in words.
func (m messageView) Kind() string { return purposeWords[m.Purpose] }

var purposeWords = map[kiitest.Purpose]string{
	kiitest.ResetLink:     "reset link",
	kiitest.ResetPIN:      "reset PIN",
	kiitest.NewPassword:   "new password",
	kiitest.PasswordReset: "password was reset",
	kiitest.VerifyAddress: "verify address",
}

func viewOf(m kiitest.Message, f frame) messageView {
	return messageView{Message: m, Preview: preview(m.Text), Live: m.State == kiitest.Pending, Left: timeLeft(m.Expires, f.Now), Here: f.Here}
}

// preview is the beginning of a text in one line.
func preview(text string) string {
	line := strings.Join(strings.Fields(text[:min(len(text), 4*previewSize)]), " ")
	if len(line) <= previewSize {
		return strings.ToValidUTF8(line, "")
	}
	end := previewSize
	for !utf8.RuneStart(line[end]) {
		end--
	}
	return strings.TrimSpace(line[:end]) + "…"
}

// A messagesView is the page of messages.
type messagesView struct {
	frame
	Query       string
	Messages    []messageView
	All, Total  int // messages; that match
	First, Last int // of the matching ones, those that are shown
	Newer       string
	Older       string
	Later       bool // not the first page: new messages go to another one
	Chips       []chip
	Snippets    []snippet // for the first steps, if there is no message
	Users       int
	Question    string // before all of them are deleted
}

// A chip is a filter that one click sets or takes away.
type chip struct {
	Text string
	Path string
	On   bool
}

var chips = []string{"is:pending", "is:used", "is:expired", "channel:email", "channel:sms", "purpose:reset-pin", "purpose:reset-link"}

func (e *emulator) showMessages(w http.ResponseWriter, r *http.Request) error {
	v := messagesView{frame: e.newFrame(r, "/", "Messages"), Query: r.URL.Query().Get("q")}
	v.All = v.Tabs[0].Count
	v.Users = v.Tabs[1].Count
	v.Chips = chipsOf(v.Query)
	if v.All == 0 {
		v.Snippets = e.snippets()
	}
	f, err := parseFilter(v.Query)
	if err == nil {
		f.Before, err = intParam(r.URL.Query(), "before", 0, 0, math.MaxInt)
	}
	if err != nil {
		v.refuse(err, nil)
		render(w, statusOf(err), "messages", v)
		return nil
	}
	e.fillMessages(&v, f)
	render(w, http.StatusOK, "messages", v)
	return nil
}

// fillMessages puts a page of messages into the view, with the way to the newer and the older ones.
func (e *emulator) fillMessages(v *messagesView, f kiitest.Filter) {
	found, left := e.srv.LatestMessages(f, 0, pageSize)
	v.Later = f.Before > 0
	all := f
	all.Before = 0
	_, v.Total = e.srv.LatestMessages(all, 0, 0)
	skipped := v.Total - left
	v.First, v.Last = skipped+1, skipped+len(found)
	for _, m := range found {
		v.Messages = append(v.Messages, viewOf(m, v.frame))
	}
	if left > len(found) {
		v.Older = messagesPath(v.Query, found[len(found)-1].ID)
	}
	if v.Later {
		v.Newer = messagesPath(v.Query, 0)
		if newer, _ := e.srv.LatestMessages(all, skipped-pageSize, 1); skipped > pageSize && len(newer) > 0 {
			v.Newer = messagesPath(v.Query, newer[0].ID+1)
		}
	}
	v.Question = "Delete all " + plural(v.Total, "message") + "?"
	switch {
	case v.Total == 1:
		v.Question = "Delete this message?"
	case v.Query != "":
		v.Question = "Delete the " + plural(v.Total, "message") + " that match?"
	}
}

func messagesPath(q string, before int) string {
	query := url.Values{}
	if q != "" {
		query.Set("q", q)
	}
	if before > 0 {
		query.Set("before", strconv.Itoa(before))
	}
	return (&url.URL{Path: "/", RawQuery: query.Encode()}).String()
}

// chipsOf are the filters beside the box; each of a key replaces the others of that key.
func chipsOf(q string) []chip {
	words := strings.Fields(q)
	var all []chip
	for _, text := range chips {
		key, _, _ := strings.Cut(text, ":")
		c := chip{Text: text}
		var rest []string
		for _, word := range words {
			if strings.EqualFold(word, text) {
				c.On = true
			}
			if at, _, keyed := strings.Cut(word, ":"); !keyed || !strings.EqualFold(at, key) {
				rest = append(rest, word)
			}
		}
		if !c.On {
			rest = append(rest, text)
		}
		c.Path = messagesPath(strings.Join(rest, " "), 0)
		all = append(all, c)
	}
	return all
}

// A messageDetail is the page of one message.
type messageDetail struct {
	frame
	Message      messageView
	Call         *callView // that sent it; nil: not known
	Newer, Older int       // the IDs of its neighbours; 0: none
	JSON         string
}

func (e *emulator) showMessage(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r, "message")
	if err != nil {
		return err
	}
	found := e.srv.FindMessages(kiitest.Filter{ID: id})
	if len(found) == 0 {
		return notFound("message; it may have been deleted")
	}
	v := messageDetail{frame: e.newFrame(r, "/", "Message "+strconv.Itoa(id)), JSON: indented(found[0])}
	v.Message = viewOf(found[0], v.frame)
	a, _ := e.srv.Account(found[0].UserID)
	v.Message.User = nameOf(a)
	v.Call = e.callThatSent(found[0])
	if older, _ := e.srv.LatestMessages(kiitest.Filter{Before: id}, 0, 1); len(older) > 0 {
		v.Older = older[0].ID
	}
	if _, newer := e.srv.LatestMessages(kiitest.Filter{After: id}, 0, 0); newer > 0 {
		next, _ := e.srv.LatestMessages(kiitest.Filter{After: id}, newer-1, 1)
		v.Newer = next[0].ID
	}
	render(w, http.StatusOK, "message", v)
	return nil
}

func (e *emulator) formDeleteMessages(w http.ResponseWriter, r *http.Request) error {
	if r.PostForm.Has("id") {
		id, err := parseID(r.PostForm.Get("id"), "message")
		if err != nil {
			return err
		}
		if e.srv.DeleteMessages(kiitest.Filter{ID: id}) == 0 {
			return notFound("message; it may have been deleted already")
		}
		return redirectBack(w, r, "/", "message-deleted", "n", strconv.Itoa(id))
	}
	f, err := parseFilter(r.PostForm.Get("q"))
	if err != nil {
		return err
	}
	form := formReader{form: r.PostForm}
	upTo := form.number("up-to")
	if err := form.with(nil); err != nil {
		return err
	}
	newest, total := e.srv.LatestMessages(f, 0, 1)
	if total == 0 {
		return redirectBack(w, r, "/", "messages-deleted", "n", "0")
	}
	if upTo > 0 {
		f.Before = upTo + 1 // what came since the page was shown stays
		_, total = e.srv.LatestMessages(f, 0, 0)
	} else {
		upTo = newest[0].ID
		r.PostForm.Set("up-to", strconv.Itoa(upTo))
	}
	if e.ask(w, r, plural(total, "message")+" will be gone. PINs and links that somebody has seen still work.", "Delete "+plural(total, "message"), "/") {
		return nil
	}
	return redirectBack(w, r, "/", "messages-deleted", "n", strconv.Itoa(e.srv.DeleteMessages(f)))
}

func (e *emulator) formExpireMessage(w http.ResponseWriter, r *http.Request) error {
	id, err := parseID(r.PostForm.Get("id"), "message")
	if err != nil {
		return err
	}
	if err := e.expireMessage(id); err != nil {
		return err
	}
	return redirectBack(w, r, "/messages/"+strconv.Itoa(id), "expired", "n", strconv.Itoa(id))
}
