package main

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"io"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/go-kii/kii"
)

//go:embed words
var wordFiles embed.FS

// words are all sentences of the site in one language: the templates of one file. The pages include
// them by name; what Go code has to say is the name of one, and what it speaks of.
type words struct {
	lang  string
	pages map[string]*template.Template
	said  *template.Template
}

// languageTag matches what browsers take for the name of a language (BCP 47). At pt_BR a script of
// the pages would end.
var languageTag = regexp.MustCompile(`^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$`)

// newWords reads the file of a language. Each file has the same sentences as the English one.
func newWords(files fs.FS, lang string, zone *time.Location) (*words, error) {
	if !languageTag.MatchString(lang) {
		return nil, fmt.Errorf("-language: %q is no language that browsers know: name it, and its file, as in ja or pt-BR", lang)
	}
	w := &words{lang: lang, pages: map[string]*template.Template{}}
	functions := template.FuncMap{
		"say":  w.say,
		"lang": func() string { return lang },
		"at":   func(t time.Time) template.HTML { return clock(t.In(zone)) },
		"wait": func(t time.Time) int { return int(time.Until(t).Seconds()) + 1 },
	}
	read := func(lang string) (*template.Template, error) {
		return template.New(lang+".html").Funcs(functions).ParseFS(files, "words/"+lang+".html")
	}
	english, err := read("en")
	if err != nil {
		return nil, err
	}
	if _, err := fs.Stat(files, "words/"+lang+".html"); err != nil {
		return nil, fmt.Errorf("-language: the program was built without words/%s.html", lang)
	}
	if w.said, err = read(lang); err != nil {
		return nil, fmt.Errorf("-language: %w", err)
	}
	if missing := difference(english, w.said); len(missing) > 0 {
		return nil, fmt.Errorf("words/%s.html lacks %s", lang, strings.Join(missing, ", "))
	}
	all, err := fs.Glob(pageFiles, "pages/*.html")
	if err != nil {
		return nil, err
	}
	for _, file := range all {
		if slices.Contains(layout, file) {
			continue
		}
		page := template.Must(w.said.Clone())
		w.pages[strings.TrimSuffix(path.Base(file), ".html")] = template.Must(page.ParseFS(pageFiles, append(layout, file)...))
	}
	return w, nil
}

// check reports a page or a sentence that names what is not there, which a visitor would be the
// first to see.
func (w *words) check() error {
	for _, page := range w.pages {
		// A page that shows what an empty view lacks ends in an error of another type.
		err := page.ExecuteTemplate(io.Discard, "layout.html", view{})
		if bad, ok := errors.AsType[*template.Error](err); ok {
			return bad
		}
	}
	for _, sentence := range w.said.Templates() {
		if err := sayable(sentence); err != nil {
			return fmt.Errorf("words: %w", err)
		}
	}
	return nil
}

// sayable returns an error if a sentence can be said of none of what the pages speak of.
func sayable(sentence *template.Template) error {
	var errs []error
	for _, about := range []any{view{}, problem{}, kii.Profile{}} {
		errs = append(errs, sentence.Execute(io.Discard, about))
	}
	if slices.Contains(errs, nil) {
		return nil
	}
	return errs[0]
}

// difference names the templates of a that b has not.
func difference(a, b *template.Template) (missing []string) {
	for _, t := range a.Templates() {
		if !strings.HasSuffix(t.Name(), ".html") && b.Lookup(t.Name()) == nil {
			missing = append(missing, t.Name())
		}
	}
	slices.Sort(missing)
	return missing
}

// missingWords is the name of a sentence that the file of words has not.
type missingWords string

func (m missingWords) Error() string { return "words has no " + string(m) }

// say returns a sentence by its name.
func (w *words) say(name string, about any) (template.HTML, error) {
	if w.said.Lookup(name) == nil {
		return "", missingWords(name)
	}
	var text bytes.Buffer
	err := w.said.ExecuteTemplate(&text, name, about)
	return template.HTML(text.String()), err // escaped by the template that made it
}

// clock is a time of day. The script of the pages writes it as the visitor's own.
func clock(t time.Time) template.HTML {
	format := "15:04 MST"
	if t.Second() != 0 {
		format = "15:04:05 MST"
	}
	return template.HTML(fmt.Sprintf(`<time datetime="%s">%s</time>`, t.UTC().Format(time.RFC3339), t.Format(format)))
}
