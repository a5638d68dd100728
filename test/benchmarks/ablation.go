package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
	"time"

	"github.com/go-resty/resty/v2"
)

// steps lead from the floor to kii, one feature at a time, so that the table says what each costs.
// They hold no more than the feature's calls: they show its price and do not work as it does.
var steps = []contestant{
	{floor, kiiDialect, tuned},
	{"+ a deadline for the call", kiiDialect, step{deadline: true}.connect},
	{"+ a trace, to prove what was not sent", kiiDialect, step{deadline: true, trace: true}.connect},
	{"+ resty", kiiDialect, step{deadline: true, trace: true, resty: true}.connect},
	{"+ a goroutine that the deadline can leave behind", kiiDialect, step{deadline: true, trace: true, resty: true, leave: true}.connect},
	{"**kii**: + checks, escaping, secrets; − shared headers", kiiDialect, useKii},
}

type step struct{ deadline, trace, resty, leave bool }

func (s step) connect(base string, rt *http.Transport) (ask, error) {
	if rt == nil {
		rt = tunedTransport()
	}
	send := byNetHTTP(base, &http.Client{Transport: rt})
	if s.resty {
		client := resty.NewWithClient(&http.Client{Transport: rt}).SetResponseBodyLimit(256 << 10)
		send = func(ctx context.Context) error { return s.byResty(ctx, client, base) }
	}
	return func(ctx context.Context) error {
		if s.deadline {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(ctx, 30*time.Second)
			defer cancel()
		}
		if s.trace {
			var w struct{ asked, got, secured, wrote atomic.Bool }
			ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
				GetConn:           func(string) { w.asked.Store(true) },
				GotConn:           func(httptrace.GotConnInfo) { w.got.Store(true) },
				TLSHandshakeStart: func() { w.secured.Store(true) },
				WroteHeaders:      func() { w.wrote.Store(true) },
			})
		}
		if !s.leave {
			return send(ctx)
		}
		sent := make(chan error, 1)
		go func() { sent <- send(ctx) }()
		select {
		case err := <-sent:
			return err
		case <-ctx.Done():
			return ctx.Err()
		}
	}, nil
}

func (s step) byResty(ctx context.Context, client *resty.Client, base string) error {
	body, err := json.Marshal(resetRequest{"SMS", "PIN"})
	if err != nil {
		return err
	}
	r := client.R().SetContext(ctx).SetBody(bytes.NewReader(body))
	r.Header.Set("Content-Type", contentType)
	r.Header.Set("X-Kii-AppID", "app")
	r.Header.Set("X-Kii-AppKey", "key")
	resp, err := r.Post(base + resetPath)
	if err != nil {
		return err
	}
	if resp.StatusCode() != http.StatusNoContent {
		return errors.New(resp.Status())
	}
	return nil
}
