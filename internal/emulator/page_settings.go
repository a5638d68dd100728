package emulator

import (
	"net/http"
	"strconv"
	"time"

	"github.com/go-kii/kii/kiitest"
)

// A settingsView is the page of settings.
type settingsView struct {
	frame
	Fields       []field
	Snippets     []snippet
	Assumptions  []assumptionView
	Templates    []kiitest.Template
	ClientID     string
	ClientSecret string // empty if the user chose it
	Question     string // before everything is reset
}

type assumptionView struct {
	Name  kiitest.Assumption
	Text  string
	Holds bool
}

func settingsFields(s kiitest.Settings) []field {
	flows := []choice{
		{string(kiitest.GeneratePassword), "Generate password: Kii sends one"},
		{string(kiitest.InputPassword), "Input password: the user chooses"},
	}
	return []field{
		{Name: "resetFlow", Label: "Password reset flow", Type: "select", Choices: flows, Value: string(s.ResetFlow)},
		{Name: "minPasswordLength", Label: "Shortest password", Mode: "numeric", Value: strconv.Itoa(s.MinPasswordLength)},
		{Name: "pinValidity", Label: "PIN validity", Value: duration(s.PINValidity).String(), Hint: "Written as 90s, 10m or 24h."},
		{Name: "linkValidity", Label: "Link validity", Value: duration(s.LinkValidity).String()},
		{Name: "codeValidity", Label: "Verification code validity", Value: duration(s.CodeValidity).String()},
		{Name: "tokenValidity", Label: "Access token validity", Value: lasting(s.TokenValidity), Hint: "“for ever”, or a time."},
		{Name: "successURL", Label: "Page after a link that worked", Mode: "url", Value: s.SuccessURL, Placeholder: "https://…", Hint: "Empty: a page of the emulator's."},
		{Name: "failureURL", Label: "Page after a link that did not", Mode: "url", Value: s.FailureURL, Placeholder: "https://…", Hint: "Empty: a page of the emulator's."},
		{Name: "homeURL", Label: "Your site", Mode: "url", Value: s.HomeURL, Placeholder: "https://…", Hint: "The pages behind links lead back to it."},
		{Name: "refreshTokens", Label: "A login hands out a refresh token", Type: "checkbox", On: s.RefreshTokens},
		{Name: "verifyEmail", Label: "New e-mail addresses must be verified", Type: "checkbox", On: s.VerifyEmail},
		{Name: "verifyPhone", Label: "New phone numbers must be verified", Type: "checkbox", On: s.VerifyPhone},
	}
}

// lasting writes the time that a token lives, which may be without an end.
func lasting(d time.Duration) string {
	if d == 0 || d >= forEver {
		return "for ever"
	}
	return duration(d).String()
}

func (e *emulator) settingsPage(r *http.Request) settingsView {
	s := e.srv.Settings()
	v := settingsView{
		frame: e.newFrame(r, "/settings", "Settings"), Fields: settingsFields(s), Snippets: e.snippets(), Templates: s.Templates, Question: resetQuestion,
		ClientID: e.srv.ClientID(), ClientSecret: e.shownSecret(),
	}
	for _, a := range kiitest.Assumptions() {
		v.Assumptions = append(v.Assumptions, assumptionView{a, assumptionTexts[a], e.srv.Assumes(a)})
	}
	return v
}

func (e *emulator) showSettings(w http.ResponseWriter, r *http.Request) error {
	render(w, http.StatusOK, "settings", e.settingsPage(r))
	return nil
}

func (e *emulator) formSettings(w http.ResponseWriter, r *http.Request) error {
	err := e.change(func(s *kiitest.Settings) error {
		form := formReader{form: r.PostForm}
		s.ResetFlow = kiitest.ResetFlow(form.text("resetFlow"))
		s.MinPasswordLength = form.number("minPasswordLength")
		s.PINValidity, s.LinkValidity, s.CodeValidity = form.duration("pinValidity"), form.duration("linkValidity"), form.duration("codeValidity")
		if form.text("tokenValidity") != "for ever" {
			s.TokenValidity = form.duration("tokenValidity")
		} else if lasting(s.TokenValidity) != "for ever" {
			s.TokenValidity = 0
		}
		s.RefreshTokens, s.VerifyEmail, s.VerifyPhone = r.PostForm.Has("refreshTokens"), r.PostForm.Has("verifyEmail"), r.PostForm.Has("verifyPhone")
		s.SuccessURL, s.FailureURL, s.HomeURL = form.text("successURL"), form.text("failureURL"), form.text("homeURL")
		return form.with(validateSettings(*s))
	})
	if err != nil {
		v := e.settingsPage(r)
		v.refuse(err, labels(v.Fields))
		v.Fields = fill(v.Fields, r.PostForm, v.Wrong)
		render(w, statusOf(err), "settings", v)
		return nil
	}
	return redirectBack(w, r, "/settings", "settings-saved")
}
