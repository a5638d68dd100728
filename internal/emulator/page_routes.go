package emulator

import (
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"time"
)

// themeCookie holds the visitor's choice of light or dark.
const themeCookie = "kii-emulator-theme"

// A pageRoute is a page, or what one of its forms does.
type pageRoute struct {
	method string
	path   string
	serve  func(http.ResponseWriter, *http.Request) error // an error is shown on a page of its own
}

func (e *emulator) pageRoutes() []pageRoute {
	return []pageRoute{
		{"GET", "/{$}", e.showMessages},
		{"GET", "/messages/{id}", e.showMessage},
		{"GET", "/users", e.showUsers},
		{"GET", "/users/_new", e.showNewUser}, // no user's ID begins with _
		{"GET", "/users/{id}", e.showUser},
		{"GET", "/calls", e.showCalls},
		{"GET", "/calls/{id}", e.showCall},
		{"GET", "/faults", e.showFaults},
		{"GET", "/settings", e.showSettings},
		{"POST", "/messages/delete", e.formDeleteMessages},
		{"POST", "/messages/expire", e.formExpireMessage},
		{"POST", "/users", e.formUser},
		{"POST", "/users/delete", e.formDeleteUser},
		{"POST", "/users/send", e.formSend},
		{"POST", "/calls/clear", e.formClearCalls},
		{"POST", "/calls/replay", e.formReplay},
		{"POST", "/faults", e.formFault},
		{"POST", "/faults/remove", e.formRemoveFault},
		{"POST", "/faults/clear", e.formClearFaults},
		{"POST", "/settings", e.formSettings},
		{"POST", "/clock", e.formClock},
		{"POST", "/reset", e.formReset},
		{"POST", "/theme", e.formTheme},
	}
}

// pages adds the pages and what their forms do.
func (e *emulator) pages(mux *http.ServeMux) {
	mux.HandleFunc("GET /assets/style.css", serveAsset("style.css", "text/css; charset=utf-8"))
	mux.HandleFunc("GET /assets/live.js", serveAsset("live.js", "text/javascript; charset=utf-8"))
	mux.HandleFunc("GET /assets/hands.js", serveAsset("hands.js", "text/javascript; charset=utf-8"))
	mux.HandleFunc("GET /assets/icon.svg", serveAsset("icon.svg", "image/svg+xml"))
	for _, route := range e.pageRoutes() {
		mux.HandleFunc(route.method+" "+route.path, func(w http.ResponseWriter, r *http.Request) {
			err := readForm(r)
			if err == nil {
				err = route.serve(w, r)
			}
			if err != nil {
				e.showProblem(w, r, err)
			}
		})
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { e.showProblem(w, r, notFound("page")) })
}

// A problemView says what went wrong and leads back.
type problemView struct {
	frame
	Back string
}

func (e *emulator) showProblem(w http.ResponseWriter, r *http.Request, err error) {
	heading := "This did not work"
	if statusOf(err) == http.StatusNotFound {
		heading = "Not found"
	}
	v := problemView{frame: e.newFrame(r, "", heading), Back: backPath(r.PostForm, "/")}
	v.Here = v.Back
	v.refuse(err, nil)
	render(w, statusOf(err), "problem", v)
}

// readForm reads the body of a form.
func readForm(r *http.Request) error {
	err := r.ParseForm()
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		return problemf(http.StatusRequestEntityTooLarge, "the form is larger than %d bytes", maxBody)
	}
	if err != nil {
		return problemf(http.StatusBadRequest, "the form or the address cannot be read")
	}
	return nil
}

// pagePaths are the paths of the pages that a form can be on.
var pagePaths = regexp.MustCompile(`^/((messages|users|calls|faults|settings)(/[^/]*)?)?$`)

// backPath is the page that a form was on, or another one of the emulator's.
func backPath(form url.Values, otherwise string) string {
	to, err := url.Parse(form.Get("back"))
	if err != nil || !pagePaths.MatchString(to.Path) {
		return otherwise
	}
	return (&url.URL{Path: to.Path, RawQuery: to.RawQuery}).String()
}

// redirectBack leads to the page that the form was on, which says what was done; pairs are further
// query parameters.
func redirectBack(w http.ResponseWriter, r *http.Request, otherwise, said string, pairs ...string) error {
	to, _ := url.Parse(backPath(r.PostForm, otherwise)) // it was parsed before
	query := to.Query()
	if said != "" {
		query.Set("said", said)
	}
	for i := 0; i < len(pairs); i += 2 {
		query.Set(pairs[i], pairs[i+1])
	}
	to.RawQuery = query.Encode()
	http.Redirect(w, r, to.String(), http.StatusSeeOther) //nolint:gosec // backPath lets through only pages of the emulator's
	return nil
}

// A questionView asks before something that cannot be taken back is done.
type questionView struct {
	frame
	Action string // where the form goes again, with its fields and the answer
	Fields url.Values
	Text   string
	Button string
	Back   string
}

// ask shows the question unless it was answered. With JavaScript the page asks before it sends.
func (e *emulator) ask(w http.ResponseWriter, r *http.Request, text, button, otherwise string) (asked bool) {
	if r.PostForm.Has("sure") {
		return false
	}
	v := questionView{
		frame: e.newFrame(r, "", button), Action: r.URL.Path, Fields: r.PostForm, Text: text, Button: button, Back: backPath(r.PostForm, otherwise),
	}
	v.Here = v.Back
	render(w, http.StatusOK, "question", v)
	return true
}

func (e *emulator) formClock(w http.ResponseWriter, r *http.Request) error {
	if r.PostForm.Has("back-to-now") {
		e.srv.ResetClock()
		return redirectBack(w, r, "/", "")
	}
	form := formReader{form: r.PostForm}
	if err := form.with(e.advance(form.duration("advance"))); err != nil {
		return err
	}
	return redirectBack(w, r, "/", "")
}

func (e *emulator) formReset(w http.ResponseWriter, r *http.Request) error {
	if e.ask(w, r, resetQuestion, "Reset everything", "/settings") {
		return nil
	}
	e.reset()
	return redirectBack(w, r, "/", "reset")
}

const resetQuestion = "All messages, calls, tokens and faults are forgotten, and the users and settings are those of the start."

func (e *emulator) formTheme(w http.ResponseWriter, r *http.Request) error {
	theme := r.PostForm.Get("theme")
	cookie := &http.Cookie{ //nolint:gosec // not Secure: the emulator is on plain http, and the theme is no secret
		Name: themeCookie, Value: theme, Path: "/", MaxAge: int((365 * 24 * time.Hour).Seconds()), HttpOnly: true, SameSite: http.SameSiteStrictMode,
	}
	switch theme {
	case "light", "dark":
	case "system":
		cookie.MaxAge = -1
	default:
		return problemf(http.StatusUnprocessableEntity, "the theme must be light, dark or system")
	}
	http.SetCookie(w, cookie)
	return redirectBack(w, r, "/", "")
}

// pathID reads the number in the path.
func pathID(r *http.Request, what string) (int, error) { return parseID(r.PathValue("id"), what) }

func parseID(text, what string) (int, error) {
	id, err := strconv.Atoi(text)
	if err != nil || id < 1 {
		return 0, notFound(what)
	}
	return id, nil
}
