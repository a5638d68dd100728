package kiitest

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"net/http"
	"sync"
)

// A link is the reset that a page works on.
type link struct {
	account *account
	message *message
}

// pageData is what a page shows.
type pageData struct {
	Title   string
	Texts   []string
	Error   string // what was wrong with the form: both passwords have to be entered again
	Form    bool
	Address string // for the browser's password store
	Least   int
	Most    int
	Home    string // where the page leads back to; empty: nowhere
}

// openLink is the click on a link: in the Generate flow it resets the password, in the Input flow
// it shows the form.
func (s *Server) openLink(c *call) answer {
	l, refused := s.usableLink(c)
	switch {
	case refused != nil:
		return *refused
	case s.settings.ResetFlow == InputPassword:
		return s.form(http.StatusOK, l, "")
	}
	s.reset(c, l.account, l.message, "")
	if s.settings.SuccessURL != "" {
		return redirect(s.settings.SuccessURL)
	}
	return s.page(http.StatusOK, pageData{Title: "Your password was reset", Texts: []string{
		"We have sent you a new password, the way that we sent you the link.", "Log in with it, then change it.",
	}})
}

// peekLink answers HEAD, which changes nothing.
func (s *Server) peekLink(c *call) answer {
	if _, refused := s.usableLink(c); refused != nil {
		return *refused
	}
	return s.page(http.StatusOK, pageData{})
}

// submitLink takes the form of the Input flow.
func (s *Server) submitLink(c *call) answer {
	l, refused := s.usableLink(c)
	if refused != nil {
		return *refused
	}
	if s.settings.ResetFlow != InputPassword {
		c.because("the flow is Generate, so no password can be chosen")
		return s.page(http.StatusConflict, pageData{Title: "No password can be chosen here", Texts: []string{"Open the link again to get a new password."}})
	}
	body, refused := c.form()
	if refused != nil {
		return s.form(http.StatusBadRequest, l, "The form could not be read.")
	}
	password, _, _ := body.text(c, "password")
	again, _, _ := body.text(c, "confirm")
	switch {
	case password == l.account.Password:
		c.because("the new password is the same as the old one")
		return s.form(http.StatusBadRequest, l, "Choose a password other than the old one.")
	case c.checkPassword(l.account, password) != nil:
		return s.form(http.StatusBadRequest, l, passwordProblem(password, s.settings.MinPasswordLength))
	case password != again:
		c.because("password and confirm differ")
		return s.form(http.StatusBadRequest, l, "The passwords are not the same. Enter the new one twice.")
	}
	s.reset(c, l.account, l.message, password)
	return s.page(http.StatusOK, pageData{Title: "Your password was changed", Texts: []string{"Log in with your new password."}})
}

// passwordProblem says what is wrong with a password that was refused.
func passwordProblem(password string, least int) string {
	switch {
	case password == "":
		return "Enter a new password."
	case len(password) < least:
		return fmt.Sprintf("Choose a password of at least %d characters.", least)
	case len(password) > maxPassword:
		return fmt.Sprintf("Choose a password of at most %d characters.", maxPassword)
	default:
		return "Choose a password of letters without accents, digits, signs and spaces."
	}
}

// usableLink finds the reset that the call's link stands for, if it can still be done.
func (s *Server) usableLink(c *call) (*link, *answer) {
	refuse := func(status int, text, why string, args ...any) (*link, *answer) {
		c.because(why, args...)
		if s.settings.FailureURL != "" && s.settings.ResetFlow == GeneratePassword {
			return nil, new(redirect(s.settings.FailureURL))
		}
		return nil, new(s.page(status, pageData{Title: "Nothing was changed", Texts: []string{text}}))
	}
	l := s.links[c.link]
	switch {
	case l == nil:
		return refuse(http.StatusNotFound, "This link is not known. Look for the newest message, or ask for a new link.",
			"the server sent no such link")
	case l.message.State == Replaced:
		return refuse(http.StatusGone, "There is a newer link. Look for the newest message, or ask for a new link.",
			"the link, of message %d, was replaced by a newer one or ended by a new password", l.message.ID)
	case l.message.State == Used && s.assumes(CodesAreSingleUse):
		return refuse(http.StatusGone, "This link was used before, and the password was reset by it. Ask for a new link if you cannot log in.",
			"the link, of message %d, was used before", l.message.ID)
	case l.message.expired(c.now):
		return refuse(http.StatusGone, "This link has expired. Ask for a new one.", "the link, of message %d, has expired", l.message.ID)
	case l.account.Disabled:
		return refuse(http.StatusConflict, "This account's password cannot be reset.", "%s is disabled", l.account.name())
	case l.account.Password == "":
		return refuse(http.StatusConflict, "This account's password cannot be reset.", "%s has no password", l.account.name())
	}
	return l, nil
}

// VisitLinks does what the scanners of mail providers do before the user sees a message: it opens
// the links in the messages that the filter lets through, each once, and returns how many. In the
// Generate flow that resets the passwords.
func (s *Server) VisitLinks(f Filter) int {
	visited := 0
	for _, m := range s.FindMessages(f) {
		if m.Link == "" {
			continue
		}
		r, err := http.NewRequest(http.MethodGet, m.Link, http.NoBody)
		if err != nil {
			panic("kiitest: " + err.Error()) // the link is the server's own
		}
		r.Header.Set("User-Agent", "kiitest-link-scanner")
		s.answer(r)
		visited++
	}
	return visited
}

func redirect(to string) answer {
	a := answer{status: http.StatusSeeOther}
	a.set("Location", to)
	a.set("Cache-Control", "no-store")
	a.set("Referrer-Policy", "no-referrer")
	return a
}

// form shows the form, with the problem of the last try if there is one.
func (s *Server) form(status int, l *link, problem string) answer {
	title := "Choose a new password"
	if problem != "" {
		title = "Error: " + title
	}
	return s.page(status, pageData{
		Title: title, Error: problem, Form: true, Address: l.message.To, Least: s.settings.MinPasswordLength, Most: maxPassword,
	})
}

// pageTemplate renders a page that asks nothing of the browser but its form.
var pageTemplate = sync.OnceValue(func() *template.Template {
	return template.Must(template.New("page").Parse(pageText))
})

//go:embed page.html
var pageText string

// page renders a page that is not to be cached.
func (s *Server) page(status int, data pageData) answer {
	data.Home = s.settings.HomeURL
	var body bytes.Buffer
	if err := pageTemplate().Execute(&body, data); err != nil {
		panic("kiitest: " + err.Error())
	}
	a := answer{status: status, body: body.Bytes()}
	a.set("Content-Type", "text/html; charset=utf-8")
	a.set("Cache-Control", "no-store")
	a.set("Referrer-Policy", "no-referrer")
	a.set("X-Content-Type-Options", "nosniff")
	a.set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
	return a
}
