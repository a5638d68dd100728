package emulator

import (
	"bytes"
	"embed"
	"html/template"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/go-kii/kii/kiitest"
)

//go:embed assets
var assets embed.FS

// description is the OpenAPI document of the JSON API.
//
//go:embed assets/openapi.json
var description []byte

// templates are the pages by name. Each defines "content", which frame.html shows.
var templates = parseTemplates("messages", "message", "users", "user", "calls", "call", "faults", "settings", "question", "problem")

func parseTemplates(names ...string) map[string]*template.Template {
	frame := template.Must(template.New("").Funcs(template.FuncMap{
		"lower":       strings.ToLower,
		"stamp":       func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
		"clock":       clockTime,
		"full":        fullTime,
		"left":        timeLeft,
		"plural":      plural,
		"thousands":   thousands,
		"statusClass": statusClass,
	}).ParseFS(assets, "assets/frame.html"))
	pages := make(map[string]*template.Template)
	for _, name := range names {
		pages[name] = template.Must(template.Must(frame.Clone()).ParseFS(assets, "assets/"+name+".html"))
	}
	return pages
}

// A tab is one of the pages that the navigation lists.
type tab struct {
	Name    string
	Path    string
	Count   int // -1: none
	Current bool
}

// A frame is what all pages show. The view of each page embeds one.
type frame struct {
	Title, Heading string
	Here           string // where the page is, for the forms that come back to it
	Site, App      string
	Tabs           []tab
	Now            time.Time
	Ahead          string // how far the clock was moved; empty: not at all
	Newest         int    // the ID of the newest message
	Theme          string // light, dark, or empty: as the system
	Notice         string
	Problem        string       // what went wrong; empty: nothing
	Wrong          []wrongField // what is wrong with the form
}

// newFrame begins a page below a tab.
func (e *emulator) newFrame(r *http.Request, path, heading string) frame {
	newest, messages := e.srv.LatestMessages(kiitest.Filter{}, 0, 1)
	f := frame{
		Heading: heading, Here: here(r.URL), Site: string(e.srv.Site()), App: e.srv.AppID(),
		Now: e.srv.Now().UTC(), Ahead: span(e.srv.Advanced()), Theme: theme(r), Notice: notice(r.URL.Query()),
		Tabs: []tab{
			{"Messages", "/", messages, false},
			{"Users", "/users", e.countUsers(), false},
			{"Calls", "/calls", -1, false},
			{"Faults", "/faults", len(e.srv.Faults()), false},
			{"Settings", "/settings", -1, false},
		},
	}
	for i := range f.Tabs {
		f.Tabs[i].Current = f.Tabs[i].Path == path
	}
	f.Title = heading + " · Kii emulator"
	if len(newest) > 0 {
		f.Newest = newest[0].ID
		f.Title = "(" + strconv.Itoa(f.Newest) + ") " + f.Title
	}
	return f
}

// here is the page's path and query, without the notice of what was done before.
func here(u *url.URL) string {
	query := u.Query()
	for _, name := range []string{"said", "n", "mark"} {
		query.Del(name)
	}
	return (&url.URL{Path: u.Path, RawQuery: query.Encode()}).String()
}

// refuse puts what is wrong on the page.
func (f *frame) refuse(err error, labels map[string]string) {
	f.Title = "Error: " + f.Title
	fields := fieldsOf(err)
	if len(fields) == 0 {
		f.Problem = sentence(err)
		return
	}
	for _, field := range fields {
		f.Wrong = append(f.Wrong, wrongField{field.Field, labels[field.Field], field.Reason})
	}
}

// notice is what a page says after something was done. The query names it, and how many it met.
func notice(query url.Values) string {
	n, _ := strconv.Atoi(query.Get("n"))
	switch query.Get("said") {
	case "message-deleted":
		return "Message " + strconv.Itoa(n) + " is deleted."
	case "messages-deleted":
		return plural(n, "message") + " deleted."
	case "expired":
		return "Message " + strconv.Itoa(n) + " is expired."
	case "sent":
		return "Message " + strconv.Itoa(n) + " is sent."
	case "user-added":
		return "The user is added."
	case "user-saved":
		return "The user is saved."
	case "user-deleted":
		return "The user is deleted."
	case "settings-saved":
		return "The settings are saved."
	case "fault-added":
		return "The fault waits for its call."
	case "fault-removed":
		return "The fault is removed."
	case "faults-removed":
		return plural(n, "fault") + " removed."
	case "calls-cleared":
		return "The list of calls is empty again."
	case "replayed":
		return "The call was sent again: it is call " + strconv.Itoa(n) + "."
	case "reset":
		return "Everything is as it was at the start."
	}
	return ""
}

// theme is what the visitor chose in place of the system's light or dark.
func theme(r *http.Request) string {
	if c, err := r.Cookie(themeCookie); err == nil && (c.Value == "light" || c.Value == "dark") {
		return c.Value
	}
	return ""
}

// render shows a page. The view embeds a frame.
func render(w http.ResponseWriter, status int, name string, view any) {
	var b bytes.Buffer
	if err := templates[name].ExecuteTemplate(&b, "page", view); err != nil {
		panic(err) // a mistake in the template
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	w.Write(b.Bytes())
}

// serveAsset serves a file of the page's own.
func serveAsset(name, contentType string) http.HandlerFunc {
	data, err := assets.ReadFile("assets/" + name)
	if err != nil {
		panic(err) // the file is embedded
	}
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.Write(data)
	}
}
