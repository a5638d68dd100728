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
	"unicode/utf8"

	"github.com/go-kii/kii/kiitest"
)

const (
	pageSize   = 50  // messages on a page
	shownCalls = 200 // on the page of calls
	shownUsers = 500 // on the page of users
)

//go:embed assets/page.html assets/style.css assets/app.js assets/icon.svg
var assets embed.FS

// description is the OpenAPI document of the JSON API.
//
//go:embed assets/openapi.json
var description []byte

var pageTemplate = template.Must(template.New("").Funcs(template.FuncMap{
	"lower":       func(word any) string { return strings.ToLower(wordText(word)) },
	"stamp":       func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
	"clock":       clockTime,
	"left":        timeLeft,
	"statusClass": statusClass,
	"callText":    callText,
}).ParseFS(assets, "assets/page.html"))

// text is the string that a kiitest constant is.
func wordText(word any) string {
	switch w := word.(type) {
	case kiitest.Channel:
		return string(w)
	case kiitest.State:
		return string(w)
	}
	return ""
}

// clock shows a moment: the time of a day, with its date where that is not today.
func clockTime(t, now time.Time) string {
	t, now = t.UTC(), now.UTC()
	if t.YearDay() == now.YearDay() && t.Year() == now.Year() {
		return t.Format("15:04:05")
	}
	return t.Format("Jan 2 15:04")
}

// left shows the time until a moment, as app.js does.
func timeLeft(until, now time.Time) string {
	d := until.Sub(now)
	seconds := int((d + time.Second - 1) / time.Second)
	minutes, hours := seconds/60, seconds/3600
	switch {
	case hours > 47:
		return strconv.Itoa(hours/24) + " days left"
	case hours > 0:
		return strconv.Itoa(hours) + " h " + strconv.Itoa(minutes%60) + " min left"
	case minutes > 0:
		return strconv.Itoa(minutes) + " min " + strconv.Itoa(seconds%60) + " s left"
	}
	return strconv.Itoa(seconds) + " s left"
}

func statusClass(status int) string {
	if status == 0 {
		return "none"
	}
	return "s" + strconv.Itoa(status/100)
}

// callText is what a call carried.
func callText(c kiitest.Call) string {
	var b strings.Builder
	if c.Query != "" {
		b.WriteString("?" + c.Query + "\n")
	}
	for _, name := range []string{"Content-Type", "Authorization", "X-Kii-Appid", "User-Agent"} {
		if value := c.Header.Get(name); value != "" {
			b.WriteString(name + ": " + value + "\n")
		}
	}
	switch {
	case len(c.Body) == 0:
		b.WriteString("\n(no body)")
	case utf8.Valid(c.Body):
		b.WriteString("\n" + string(c.Body))
	default:
		b.WriteString("\n(a body that is no text)")
	}
	return b.String()
}

// A tab is one of the pages.
type tab struct {
	Name    string
	Path    string
	Count   int // -1: none
	Current bool
}

// A view is what a page shows.
type view struct {
	Tab, Title, Here string
	Site, App        string
	Tabs             []tab
	Now              time.Time
	Newest           int // the ID of the newest message
	All              int // messages
	Error, Notice    string
	Form             url.Values // what the page's form holds

	Query                        string
	Messages                     []kiitest.Message
	Total, PageSize, First, Last int
	Newer, Older                 string

	Users       []kiitest.Account
	Edit        bool
	Calls       []kiitest.Call
	Faults      []kiitest.Fault
	Kinds       []faultKind
	Operations  []kiitest.Operation
	Assumptions []assumption
	Templates   []kiitest.Template
	Snippets    []snippet
}

type assumption struct {
	Name  kiitest.Assumption
	Holds bool
}

// Short is a call's path below the app, where it is one.
func (v *view) Short(path string) string {
	root := v.Site[strings.LastIndex(v.Site, "/"):] + "/apps/" + v.App
	if rest, found := strings.CutPrefix(path, root+"/"); found {
		return "/" + rest
	}
	return path
}

// notices are what a page says after a form was done; the query parameter said names one.
var notices = map[string]string{
	"added":    "The user is added.",
	"saved":    "Saved.",
	"deleted":  "Deleted.",
	"injected": "The fault waits for its call.",
	"cleared":  "The faults are taken back.",
	"reset":    "Everything is as it was at the start.",
}

// newView is what all pages show.
func (e *emulator) newView(r *http.Request, name, path string) *view {
	newest, all := e.srv.LatestMessages(kiitest.Filter{}, 0, 1)
	users := len(e.srv.Accounts())
	v := &view{
		Tab: name, Site: string(e.srv.Site()), App: e.srv.AppID(), Here: path, Now: e.srv.Now().UTC(), All: all, PageSize: pageSize,
		Notice: notices[r.URL.Query().Get("said")], Form: url.Values{},
		Tabs: []tab{
			{"Messages", "/", all, false},
			{"Users", "/users", users, false},
			{"Calls", "/calls", -1, false},
			{"Faults", "/faults", len(e.srv.Faults()), false},
			{"Settings", "/settings", -1, false},
		},
	}
	if len(newest) > 0 {
		v.Newest = newest[0].ID
	}
	heading := "Messages"
	for i := range v.Tabs {
		if v.Tabs[i].Path == path {
			v.Tabs[i].Current = true
			heading = v.Tabs[i].Name
		}
	}
	v.Title = heading + " · Kii emulator"
	if v.Newest > 0 {
		v.Title = "(" + strconv.Itoa(v.Newest) + ") " + v.Title
	}
	return v
}

// show renders a page.
func render(w http.ResponseWriter, status int, v *view) {
	var b bytes.Buffer
	if err := pageTemplate.ExecuteTemplate(&b, "page", v); err != nil {
		panic(err) // a mistake in the template
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	w.Write(b.Bytes())
}

// asset serves a file of the page's own.
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
