// Command webapp is a site with a login and a forgotten-password page, on Kii Cloud.
//
//	go -C examples/webapp run .
//
// runs on an in-memory Kii Cloud, and shows below each page what was "sent". With -emulator it runs
// on cmd/kii-emulator; with KII_APP_ID, KII_APP_KEY and KII_SITE (a base URL, such as
// https://api.kii.com/api) set, on the real Kii Cloud. README.md says what to change before
// production.
package main

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"
	_ "time/tzdata" // for -time-zone, on machines that have none

	"github.com/nyaruka/phonenumbers"

	"github.com/go-kii/kii"
)

// develop, if it is set, adds flags for development. What it returns gives a Kii Cloud to
// develop on, or nil for the real one.
var develop func(*flag.FlagSet) func(config, func(string) string) (*extra, error)

// drain is how long a shutdown waits for open requests, of which the try of a code may take 40
// seconds, and then for messages not yet asked for.
const drain = 45 * time.Second

func main() {
	signal.Ignore(syscall.SIGPIPE) // otherwise the site would end with the program that reads its log
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // so that a second signal ends the process at once
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
	flags.BoolFunc("proxy", "a proxy in front ends TLS, sets X-Forwarded-Proto and adds to X-Forwarded-For; -proxy=NETWORKS names those of all proxies, such as 10.0.0.0/8,192.0.2.1, and believes no others", cfg.readProxies)
	flags.StringVar(&cfg.name, "name", cfg.name, "`name` of the site")
	flags.StringVar(&cfg.support, "support", cfg.support, "e-mail `address` of the people who help")
	flags.StringVar(&cfg.language, "language", cfg.language, "of the pages: the `name` of a file in words, such as ja or pt-BR")
	zone := flags.String("time-zone", "", "`name` of the zone of times of day, such as Asia/Tokyo, for browsers without a script; default: this machine's")
	callingCode := flags.Int("calling-code", 81, "of phone numbers that are typed without one, such as 81 for Japan")
	redisURL := flags.String("redis", "", "`URL` of the Redis that the processes of the site share, such as redis://127.0.0.1:6379/0; default: that in REDIS_URL, or else in memory")
	flags.IntVar(&cfg.minPassword, "min-password", cfg.minPassword, "least `length` of a new password, 8 to 50; 15 is advised if it is the only factor")
	begin := func(config, func(string) string) (*extra, error) { return nil, nil }
	if develop != nil {
		begin = develop(flags)
	}
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 { // and so would be every flag after it
		return fmt.Errorf("%q is no flag, and would be ignored", flags.Arg(0))
	}
	if cfg.minPassword < 8 || cfg.minPassword > maxPassword {
		return fmt.Errorf("-min-password must be 8 to %d", maxPassword)
	}
	if cfg.region = phonenumbers.GetRegionCodeForCountryCode(*callingCode); cfg.region == "ZZ" || cfg.region == "001" {
		return fmt.Errorf("-calling-code: no country has %d", *callingCode)
	}
	if *zone != "" {
		var err error
		if cfg.zone, err = time.LoadLocation(*zone); err != nil {
			return fmt.Errorf("-time-zone: %w", err)
		}
	}
	log := slog.New(slog.NewTextHandler(stderr, nil))
	var secure *tls.Config
	if *cert != "" || *key != "" {
		get, err := certificate(*cert, *key, log)
		if err != nil {
			return fmt.Errorf("-cert and -key: %w", err)
		}
		secure = &tls.Config{GetCertificate: get, MinVersion: tls.VersionTLS12}
	}
	sentences, err := newWords(wordFiles, cfg.language, cfg.zone)
	if err != nil {
		return err
	}
	if err := sentences.check(); err != nil {
		return err
	}
	open := stores(newMemory)
	if shared := cmp.Or(*redisURL, getenv("REDIS_URL")); shared != "" {
		shared, err := openRedis(ctx, shared)
		if err != nil {
			return fmt.Errorf("-redis: %w", err)
		}
		defer shared.Close()
		open = shared.store
	}

	ln, err := net.Listen("tcp", *listen)
	if err != nil {
		return err
	}
	defer ln.Close()
	if *site == "" {
		if !ln.Addr().(*net.TCPAddr).IP.IsLoopback() {
			return errors.New("-listen with an address that is not on loopback needs -url, which says how browsers reach the site")
		}
		*site = "http://" + ln.Addr().String()
	}
	if cfg.url, err = siteURL(*site, secure != nil, cfg.proxy); err != nil {
		return err
	}
	appID, appKey, kiiSite := getenv("KII_APP_ID"), getenv("KII_APP_KEY"), getenv("KII_SITE")
	ex, err := begin(cfg, getenv)
	if err != nil {
		return err
	}
	var options []kii.Option
	if ex != nil {
		defer ex.close()
		appID, appKey, kiiSite = ex.appID, ex.appKey, ex.site
		options = append(options, kii.WithInsecureHTTP()) // an emulator may run on another machine
	}
	client, err := kii.New(appID, appKey, kii.Site(kiiSite), options...)
	if err != nil {
		return fmt.Errorf("KII_APP_ID, KII_APP_KEY and KII_SITE: %w", err)
	}

	f := newFlow(client.User, cfg, open, log)
	server := &http.Server{
		Handler:           newApp(f, cfg, sentences, open, log, ex),
		TLSConfig:         secure,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      2 * time.Minute,  // above what a try of a code and the one before it may take
		IdleTimeout:       11 * time.Minute, // above that of load balancers: ten at Google
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	fmt.Fprintln(stdout, cfg.url)
	if ex != nil {
		fmt.Fprintln(stdout, ex.notice)
	}
	served := make(chan error, 1)
	go func() {
		if secure != nil {
			served <- server.ServeTLS(ln, "", "")
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

// certificate reads the files anew for each handshake, since certificates are renewed while the
// site runs. As long as the two do not fit each other, the last ones that did are used.
func certificate(cert, key string, log *slog.Logger) (func(*tls.ClientHelloInfo) (*tls.Certificate, error), error) {
	last, err := tls.LoadX509KeyPair(cert, key)
	var mu sync.Mutex
	failed := false
	return func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
		mu.Lock()
		defer mu.Unlock()
		pair, err := tls.LoadX509KeyPair(cert, key)
		if err == nil {
			last = pair
		} else if !failed {
			log.Error("no new certificate: the one before is served", "error", err)
		}
		failed = err != nil
		pair = last
		return &pair, nil
	}, err
}
