package main

import (
	"bytes"
	"embed"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/go-kii/kii"
)

//go:embed pages
var pageFiles embed.FS

//go:embed static
var static embed.FS

// layout is what each page stands in.
var layout = []string{"pages/layout.html"}

// A view is what a page shows. No error of the program's has a field here.
type view struct {
	Word         string // of the page, in words: its title is Word.title
	Link, Notice string
	Problems     problems
	Account      string
	Login        string // by which the user is logged in
	User         string // the ID of the user whom the page's forms are for
	Method       kii.NotificationMethod
	Reset        string // the name of the reset that the page's forms are for
	Code         string
	Show         bool // passwords, as they are typed
	Least, Most  int  // characters of a password
	Asks         int  // messages that an account may have
	At           time.Time
	Waiting      bool // until At for another message
	UsedUp       bool // because all messages were asked for
	Profile      *kii.Profile
	Channel      channelView
	Panel        any // for development

	Name, Support, Example string // of the site, and of its phone numbers
}

// problems are what is wrong with a form, in the order of its fields.
type problems []problem

// A problem is a sentence by its name in words, and what it speaks of.
type problem struct {
	Field, Word, Help   string
	Least, Most, Length int
	At                  time.Time
	Example             string
	Spaced              bool // what was entered has a space at either end
}

func (p *problems) add(field string, of problem) {
	of.Field = field
	*p = append(*p, of)
}

// Of returns what is wrong with one field.
func (p problems) Of(field string) *problem {
	for i := range p {
		if p[i].Field == field {
			return &p[i]
		}
	}
	return nil
}

func (a *app) render(w http.ResponseWriter, code int, page string, v view) {
	v.Name, v.Support, v.Example = a.cfg.name, a.cfg.support, examplePhone(a.cfg.region)
	if a.extra != nil {
		v.Panel = a.extra.panel()
	}
	var body bytes.Buffer
	if err := a.words.pages[page].ExecuteTemplate(&body, "layout.html", v); err != nil {
		at, _, _ := strings.Cut(err.Error(), ">: ") // what follows may be a value
		missing, _ := errors.AsType[missingWords](err)
		a.log.Error("no page", "at", at, "missing", string(missing))
		panic(err)
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(code)
	_, _ = body.WriteTo(w) // a browser that went away needs no answer
}
