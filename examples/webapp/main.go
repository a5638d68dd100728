// Command webapp is a site with a login and a forgotten-password page, on Kii Cloud.
//
//	go run ./examples/webapp
//
// runs on an in-memory Kii Cloud, and shows on a page of its own what was "sent". With KII_APP_ID,
// KII_APP_KEY and KII_SITE (a base URL, such as https://api.kii.com/api) set it serves the real one.
// README.md says what to change before production.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/go-kii/kii"
)

// drain is how long a shutdown waits for open requests, and then for messages not yet asked for.
const drain = 20 * time.Second

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Getenv, os.Stdout, os.Stderr); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, getenv func(string) string, stdout, stderr io.Writer) error {
	cfg := defaults()
	flags := flag.NewFlagSet("webapp", flag.ContinueOnError)
	flags.SetOutput(stderr)
	listen := flags.String("listen", "127.0.0.1:8080", "`address` to listen on")
	site := flags.String("url", "", "where browsers find the site, such as https://www.example.com; default: http:// and the address")
	cert := flags.String("cert", "", "`file` with the TLS certificate")
	key := flags.String("key", "", "`file` with the certificate's key")
	flags.BoolVar(&cfg.proxy, "proxy", false, "a proxy in front ends TLS, and sets X-Forwarded-Proto and X-Forwarded-For itself")
	flags.StringVar(&cfg.name, "name", cfg.name, "`name` of the site")
	flags.StringVar(&cfg.support, "support", cfg.support, "e-mail `address` of the people who help")
	flags.StringVar(&cfg.callingCode, "calling-code", cfg.callingCode, "of phone numbers that start with 0")
	flags.IntVar(&cfg.minPassword, "min-password", cfg.minPassword, "least `length` of a new password; 15 is advised where it is the only factor")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if cfg.minPassword < 8 || cfg.minPassword > maxPassword {
		return fmt.Errorf("-min-password must be 8 to %d", maxPassword)
	}

	ln, err := net.Listen("tcp", *listen)
	if err != nil {
		return err
	}
	defer ln.Close()
	if *site == "" {
		*site = "http://" + ln.Addr().String()
	}
	if cfg.url, err = siteURL(*site, *cert != "", cfg.proxy); err != nil {
		return err
	}
	var sent *demo
	appID, appKey, kiiSite := getenv("KII_APP_ID"), getenv("KII_APP_KEY"), getenv("KII_SITE")
	if appID == "" && appKey == "" && kiiSite == "" {
		sent = newDemo(cfg)
		defer sent.Close()
		appID, appKey, kiiSite = sent.AppID(), sent.AppKey(), string(sent.Site())
	}
	log := slog.New(slog.NewTextHandler(stderr, nil))
	client, err := kii.New(appID, appKey, kii.Site(kiiSite))
	if err != nil {
		return fmt.Errorf("KII_APP_ID, KII_APP_KEY and KII_SITE: %w", err)
	}

	f := newFlow(client.User, cfg, log)
	server := &http.Server{
		Handler:           newApp(f, cfg, log, sent),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      time.Minute, // above the 30 seconds that a call of Kii Cloud may take
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	fmt.Fprintln(stdout, cfg.url)
	if sent != nil {
		fmt.Fprintf(stdout, "Nothing is sent: read it at %s/demo, where the accounts are listed too\n", cfg.url)
	}
	served := make(chan error, 1)
	go func() {
		if *cert != "" {
			served <- server.ServeTLS(ln, *cert, *key)
			return
		}
		served <- server.Serve(ln)
	}()
	select {
	case err = <-served:
	case <-ctx.Done():
		quiet, cancel := context.WithTimeout(context.Background(), drain)
		defer cancel()
		err = server.Shutdown(quiet)
	}
	last, cancel := context.WithTimeout(context.Background(), drain)
	defer cancel()
	return errors.Join(err, f.close(last))
}

// siteURL reads where browsers find the site. Passwords travel by plain http to this machine alone.
func siteURL(site string, cert, proxy bool) (*url.URL, error) {
	u, err := url.Parse(site)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || (u.Path != "" && u.Path != "/") {
		return nil, errors.New("-url must be like https://www.example.com")
	}
	u.Path = ""
	switch ip := net.ParseIP(u.Hostname()); {
	case u.Scheme == "https" && cert != proxy:
		return u, nil
	case u.Scheme == "https":
		return nil, errors.New("-url with https needs either -cert and -key, or -proxy")
	case u.Scheme == "http" && !cert && !proxy && (u.Hostname() == "localhost" || ip.IsLoopback()):
		return u, nil
	}
	return nil, errors.New("-url must start with https:// unless it is on loopback")
}
