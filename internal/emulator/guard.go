package emulator

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"runtime/debug"
	"strings"
	"time"
)

// contentPolicy lets a page load what the emulator itself serves, and nothing run that stands in
// it.
const contentPolicy = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// answerTimeout bounds the time that the page and the JSON API take to write an answer; a long poll
// waits for less.
const answerTimeout = maxWait + 30*time.Second

// handler serves everything: Kii Cloud's API and link pages below /api/, the JSON API, and the
// page.
func (e *emulator) handler(stderr io.Writer) http.Handler {
	own := http.NewServeMux()
	for _, route := range e.routes() {
		own.Handle(route.method+" "+route.path, handleAPI(route))
	}
	own.HandleFunc(apiRoot+"/", unknownAPI)
	e.pages(own)
	guardedOwn := guarded(e.readersSite(own))
	all := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/api/") { // not by a ServeMux, which would redirect a user named ..
			if r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/users") {
				done, admitted := e.register()
				if !admitted {
					refuse(w, r, http.StatusServiceUnavailable, "EMULATOR_FULL", "The emulator keeps no more users")
					return
				}
				defer done()
			}
			e.srv.ServeHTTP(w, r) // for pages of any origin, as Kii Cloud lets the JavaScript SDK call it
			return
		}
		if lacksAPI(r.URL.Path) {
			refuse(w, r, http.StatusNotFound, "EMULATOR_SITE_WITHOUT_API", "Kii Cloud's API is below /api: the site is http://"+r.Host+"/api")
			return
		}
		guardedOwn.ServeHTTP(w, r)
	})
	return e.checkHost(recovered(all, stderr))
}

// lacksAPI reports whether the path is one of Kii Cloud's API by a client that was given no whole
// site.
func lacksAPI(path string) bool {
	return strings.HasPrefix(path, "/apps/") || strings.HasPrefix(path, "/oauth2/")
}

// refuse answers in the form that the caller reads. A client of Kii Cloud shows the code of an
// answer, and of a page of text only that it is unexpected. A page of another origin may read it,
// as all of Kii Cloud's API.
func refuse(w http.ResponseWriter, r *http.Request, status int, code, text string) {
	switch path := r.URL.Path; {
	case strings.HasPrefix(path, "/api/") || lacksAPI(path):
		w.Header().Set("Access-Control-Allow-Origin", "*")
		if r.Method == http.MethodOptions { // a browser asks before its page may read the rest
			w.Header().Set("Access-Control-Allow-Methods", r.Header.Get("Access-Control-Request-Method"))
			w.Header().Set("Access-Control-Allow-Headers", r.Header.Get("Access-Control-Request-Headers"))
			w.WriteHeader(http.StatusNoContent)
			return
		}
		writeJSON(w, status, map[string]string{"errorCode": code, "message": text})
	case strings.HasPrefix(path, apiRoot+"/"):
		writeJSON(w, status, failure{Error: text})
	default:
		http.Error(w, text, status)
	}
}

// checkHost refuses a name that the emulator was not started with. A web page of somebody else's
// can make its own host's name lead to this machine, and would then read everything here as its
// own. To be ready is no secret: a probe asks by an address that nobody knew at the start.
func (e *emulator) checkHost(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		probe := r.URL.Path == apiRoot+"/ready" && (r.Method == http.MethodGet || r.Method == http.MethodHead)
		if !probe && !e.bound.answersTo(r.Host) {
			w.Header().Set("Connection", "close")
			hint := "-expose adds a host"
			asked := normalAddress(r.Host)
			if _, _, err := splitHost(asked); err == nil {
				hint = "-expose " + asked + " adds this one"
			}
			refuse(w, r, http.StatusMisdirectedRequest, "EMULATOR_HOST_NOT_EXPOSED", "This emulator does not answer to that host or port. It was started for "+e.bound.origin+"; "+hint+".")
			return
		}
		next.ServeHTTP(w, r)
	})
}

// guarded keeps other sites' pages from writing, reading or framing, and bodies small.
func guarded(next http.Handler) http.Handler {
	crossOrigin := http.NewCrossOriginProtection()
	crossOrigin.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		refuse(w, r, http.StatusForbidden, "", "Refused: the request comes from a page of another origin.")
	}))
	checked := crossOrigin.Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", contentPolicy)
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Cache-Control", "no-store")
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(answerTimeout))
		checked.ServeHTTP(w, r)
		_ = http.NewResponseController(w).SetWriteDeadline(time.Time{}) // the connection may carry a call with a longer delay next
	})
}

// readersSite writes the site's URL as the reader calls it, if that is by a port that was not known
// at the start: in the links of messages, and in what a developer pastes.
func (e *emulator) readersSite(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if e.bound.byAnyPort(r.Host) {
			w = siteWriter{w, []byte(e.srv.Site()), []byte("http://" + normalAddress(r.Host) + "/api")}
		}
		next.ServeHTTP(w, r)
	})
}

// A siteWriter exchanges the site's URL. The page and the JSON API write each answer at once.
type siteWriter struct {
	http.ResponseWriter
	site, readers []byte
}

func (w siteWriter) Write(data []byte) (int, error) {
	_, err := w.ResponseWriter.Write(bytes.ReplaceAll(data, w.site, w.readers))
	return len(data), err
}

// recovered reports a panic by where it came from, since its value may hold what nobody should log.
// http.ErrAbortHandler is no failure: it is how a connection is broken on purpose.
func recovered(next http.Handler, stderr io.Writer) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			switch p := recover().(type) {
			case nil:
				return
			case runtime.Error:
				fmt.Fprintf(stderr, "kii-emulator: a defect of the emulator: %v\n%s", p, debug.Stack())
			default:
				if p != http.ErrAbortHandler { //nolint:errorlint // net/http compares so, too
					fmt.Fprintf(stderr, "kii-emulator: a defect of the emulator: a panic with a %T\n%s", p, debug.Stack())
				}
			}
			panic(http.ErrAbortHandler) // net/http breaks the connection, so that no half answer passes for a whole one
		}()
		next.ServeHTTP(w, r)
	})
}
