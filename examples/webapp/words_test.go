package main

import (
	"html/template"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-kii/kii"
	"github.com/go-kii/kii/kiitest"
)

var (
	sentence   = regexp.MustCompile(`(?s)\{\{define "([^"]+)"\}\}(.*?)\{\{end\}\}\n`)
	noSentence = regexp.MustCompile(`(?s)\{\{.*?\}\}|<[^>]*>|&[a-z]+;`)
	clockTime  = regexp.MustCompile(`\b[0-9]{2}:[0-9]{2}(:[0-9]{2})? UTC\b`)
)

// foreign is the English file in a language that has no letter and no stop of ours.
func foreign(t *testing.T) string {
	t.Helper()
	english, err := fs.ReadFile(wordFiles, "words/en.html")
	require.NoError(t, err)
	strange := func(s string) string {
		return strings.Map(func(r rune) rune {
			if r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' {
				return 'ы'
			}
			if full, ok := map[rune]rune{'.': '。', ':': '：', ',': '、'}[r]; ok {
				return full
			}
			return r
		}, s)
	}
	return sentence.ReplaceAllStringFunc(string(english), func(all string) string {
		parts := sentence.FindStringSubmatch(all)
		if parts[1] == "dir" {
			return `{{define "dir"}}rtl{{end}}` + "\n"
		}
		body, last := "", 0
		for _, at := range noSentence.FindAllStringIndex(parts[2], -1) {
			body += strange(parts[2][last:at[0]]) + parts[2][at[0]:at[1]]
			last = at[1]
		}
		return `{{define "` + parts[1] + `"}}` + body + strange(parts[2][last:]) + "{{end}}\n"
	})
}

func TestASiteInAnotherLanguageIsOneFileMore(t *testing.T) {
	t.Parallel()
	english, err := fs.ReadFile(wordFiles, "words/en.html")
	require.NoError(t, err)
	files := fstest.MapFS{"words/en.html": {Data: english}, "words/xx.html": {Data: []byte(foreign(t))}}
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		s.words, s.cfg.language = files, "xx"
		s.start(t)
		answers := everyAnswer(t, s)
		s.start(t) // with new counts
		b := s.asked(t, phone)
		answers["refused"] = b.complete(wrong(s.pin(t)), newPassword)
		answers["weak"] = b.complete("1", "alice")
		answers["early"] = b.get(b.post("/forgot/again").location())
		answers["success"] = b.complete(s.pin(t), newPassword)
		time.Sleep(15 * time.Minute)
		answers["lost"] = b.get("/forgot/sent?reset=x")
		b = s.asked(t, phone)
		s.Inject(kiitest.Fault{Operation: kiitest.OpLogin, Kind: kiitest.FaultNoAnswer})
		answers["unchecked"] = b.complete(s.pin(t), newPassword+"!")
		b = s.browser(t)
		b.login(verified, newPassword+"!")
		for path, form := range map[string][]string{
			"/profile/email/verify": {"code", "1"}, "/profile/phone/verify": {"code", ""}, "/profile/email/resend": nil,
			"/profile/phone/change": {"address", "x"}, "/profile/email/change": {"address", "x@example.com", "password", "x"},
		} {
			answers[path] = b.post(path, form...)
			answers[path+" then"] = b.get(path[:len("/profile/email")])
		}
		pages := 0
		for name, answer := range answers {
			if !strings.HasPrefix(answer.header.Get("Content-Type"), "text/html") || answer.code/100 == 3 {
				continue
			}
			pages++
			assert.Contains(t, answer.body, `<html lang="xx" dir="rtl">`, name)
			words := clockTime.ReplaceAllString(text(answer.body), "")
			for _, known := range []string{"Example", "support@example.com", "name@example.com", "x@example.com", phone, examplePhone("JP"), verified, nobody, "UTC"} {
				words = strings.ReplaceAll(words, known, "")
			}
			assert.NotRegexp(t, `[A-Za-z.:,]`, words, name)
		}
		assert.Greater(t, pages, 25)
	})
}

func TestAFileOfWordsIsWhole(t *testing.T) {
	t.Parallel()
	english, err := fs.ReadFile(wordFiles, "words/en.html")
	require.NoError(t, err)
	cut := strings.Replace(string(english), `{{define "login.title"}}`, `{{define "login.titel"}}`, 1)
	_, err = newWords(fstest.MapFS{"words/en.html": {Data: english}, "words/xx.html": {Data: []byte(cut)}}, "xx", time.UTC)
	assert.EqualError(t, err, "words/xx.html lacks login.title")
	for _, lang := range []string{"pt_BR", "pt_BR.UTF-8", "", "../en", "brazilian portuguese"} {
		files := fstest.MapFS{"words/en.html": {Data: english}, "words/" + lang + ".html": {Data: english}}
		_, err = newWords(files, lang, time.UTC)
		assert.ErrorContains(t, err, "no language that browsers know", "%s: their scripts end at such a name", lang)
	}
	for _, lang := range []string{"ja", "pt-BR", "zh-Hant-TW", "es-419"} {
		_, err = newWords(fstest.MapFS{"words/en.html": {Data: english}, "words/" + lang + ".html": {Data: english}}, lang, time.UTC)
		assert.NoError(t, err)
	}
	_, err = newWords(wordFiles, "tlh", time.UTC)
	assert.EqualError(t, err, "-language: the program was built without words/tlh.html")
}

func TestWhatPagesAndSentencesNameIsThere(t *testing.T) {
	t.Parallel()
	all, err := fs.Glob(wordFiles, "words/*.html")
	require.NoError(t, err)
	for _, file := range all {
		w, err := newWords(wordFiles, strings.TrimSuffix(path.Base(file), ".html"), time.UTC)
		require.NoError(t, err)
		require.NoError(t, w.check())
	}
	english, err := fs.ReadFile(wordFiles, "words/en.html")
	require.NoError(t, err)
	for name, spoilt := range map[string]string{"help": "{{.Helper}}", "code.limited": "{{at .Att}}", "profile.reset-phone": "{{.Fone}}"} {
		define := `{{define "` + name + `"}}`
		changed := strings.Replace(string(english), define, define+spoilt, 1)
		w, err := newWords(fstest.MapFS{"words/en.html": {Data: english}, "words/xx.html": {Data: []byte(changed)}}, "xx", time.UTC)
		require.NoError(t, err)
		assert.ErrorContains(t, w.check(), "words: template: xx.html:")
		assert.ErrorContains(t, w.check(), "can't evaluate field")
	}
	w, err := newWords(wordFiles, "en", time.UTC)
	require.NoError(t, err)
	template.Must(w.pages["login"].Parse(`{{define "body"}}{{template "login.hello"}}{{end}}`))
	assert.ErrorContains(t, w.check(), `no such template "login.hello"`)
}

func TestEachSentenceIsSaid(t *testing.T) {
	t.Parallel()
	english, err := fs.ReadFile(wordFiles, "words/en.html")
	require.NoError(t, err)
	source := string(english)
	for _, pattern := range []string{"*.go", "pages/*.html"} {
		files, err := filepath.Glob(pattern)
		require.NoError(t, err)
		for _, file := range files {
			if !strings.HasSuffix(file, "_test.go") {
				data, err := os.ReadFile(file)
				require.NoError(t, err)
				source += string(data)
			}
		}
	}
	said := func(name string) bool { return strings.Contains(source, `"`+name+`"`) }
	all := sentence.FindAllStringSubmatch(string(english), -1)
	require.Greater(t, len(all), 80)
	for _, found := range all {
		name := found[1]
		of, part, _ := strings.Cut(name, ".")
		defined := strings.Count(source, `"`+name+`"`) // once in its file
		byParts := said(of) && (said("."+part) || said(of+".after-") && said(strings.TrimPrefix(part, "after-")))
		refusal, isRefusal := strings.CutSuffix(name, "-refused")
		byParts = byParts || isRefusal && said(refusal)
		assert.True(t, defined > 1 || byParts, "%s is never said", name)
	}
}

func TestTimesOfDayAreOfTheSitesZone(t *testing.T) {
	t.Parallel()
	tokyo := time.FixedZone("JST", 9*60*60)
	at := time.Date(2026, 11, 25, 16, 20, 0, 0, time.UTC)
	assert.Equal(t, `<time datetime="2026-11-25T16:20:00Z">01:20 JST</time>`, string(clock(at.In(tokyo))))
	assert.Equal(t, `<time datetime="2026-11-25T16:20:05Z">01:20:05 JST</time>`, string(clock(at.Add(5*time.Second).In(tokyo))))
	synctest.Test(t, func(t *testing.T) {
		for wait, want := range map[time.Duration]string{
			1: "00:00:01", 30 * time.Second: "00:00:30", 2 * time.Minute: "00:02:00", 2*time.Minute + 1: "00:03:00", 15 * time.Minute: "00:15:00",
		} {
			assert.Equal(t, want, in(wait).UTC().Format(time.TimeOnly), "%s", wait)
		}
		s := newSite(t)
		s.cfg.zone = tokyo
		s.start(t)
		b := s.browser(t)
		assert.Contains(t, text(b.then(b.ask(nobody, kii.NotificationEmail)).body), "You can ask again at 09:00:30 JST")
	})
}
