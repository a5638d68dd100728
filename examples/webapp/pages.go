package main

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"math"
	"net/http"
	"time"

	"github.com/go-kii/kii"
	"github.com/go-kii/kii/kiitest"
)

//go:embed pages
var pageFiles embed.FS

//go:embed static/style.css static/icon.svg
var static embed.FS

var pages = func() map[string]*template.Template {
	all := map[string]*template.Template{}
	for _, name := range []string{"login", "profile", "forgot", "code", "sent", "message", "demo"} {
		all[name] = template.Must(template.ParseFS(pageFiles, "pages/layout.html", "pages/"+name+".html"))
	}
	return all
}()

// A view is what a page shows. No error of the program's has a field here.
type view struct {
	Title, Text, Notice string
	Problems            problems
	Account             string
	Method              kii.NotificationMethod
	PIN                 string
	Show                bool // passwords, as they are typed
	Least, Most         int  // characters of a password
	Profile             *kii.Profile
	Messages            []kiitest.Message
	Accounts            []demoAccount

	Name, Support string // of the site
	Demo          bool
}

// problems are what is wrong with a form, in the order of its fields.
type problems []problem

type problem struct{ Field, Text string }

func (p *problems) add(field, text string) { *p = append(*p, problem{field, text}) }

// Of returns what is wrong with one field.
func (p problems) Of(field string) string {
	for _, problem := range p {
		if problem.Field == field {
			return problem.Text
		}
	}
	return ""
}

func (a *app) render(w http.ResponseWriter, code int, page string, v view) {
	v.Name, v.Support, v.Demo = a.cfg.name, a.cfg.support, a.sent != nil
	var body bytes.Buffer
	if err := pages[page].ExecuteTemplate(&body, "layout.html", v); err != nil {
		panic(err)
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(code)
	_, _ = body.WriteTo(w) // a browser that went away needs no answer
}

// minutes says how long, rounded up.
func minutes(wait time.Duration) string {
	if n := int(math.Ceil(wait.Minutes())); n > 1 {
		return fmt.Sprintf("%d minutes", n)
	}
	return "a minute"
}
