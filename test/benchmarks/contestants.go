package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/go-resty/resty/v2"

	"github.com/go-kii/kii"
)

// A contestant asks for a password reset, in the dialect of its service.
type contestant struct {
	name    string
	dialect dialect
	// connect returns a function that asks once for one reset at base. rt is nil for a client as
	// its users get it, with the transport that it chooses.
	connect func(base string, rt *http.Transport) (ask, error)
}

type ask func(context.Context) error

const floor = "net/http, tuned"

// contestants are in the order of the tables; the first is the floor that all are compared
// with.
var contestants = []contestant{
	{floor, kiiDialect, tuned},
	{"**kii**", kiiDialect, useKii},
	{"net/http, http.DefaultClient", kiiDialect, naive},
	{"resty v2, as its README says", kiiDialect, idiomaticResty},
	{"supabase-community/gotrue-go", gotrueDialect, useGotrue},
	{"aws cognitoidentityprovider", cognitoDialect, useCognito},
	{"firebase admin v4", firebaseDialect, useFirebase},
}

const (
	address     = "alice@example.com"
	resetPath   = "/api/apps/app/users/EMAIL:" + address + "/password/request-reset"
	contentType = "application/vnd.kii.ResetPasswordRequest+json"
)

type resetRequest struct {
	NotificationMethod string `json:"notificationMethod"`
	SMSResetMethod     string `json:"smsResetMethod"`
}

func useKii(base string, rt *http.Transport) (ask, error) {
	var opts []kii.Option
	if rt != nil {
		rt.DisableCompression = true // as the library's own transport has it
		opts = append(opts, kii.WithHTTPClient(&http.Client{Transport: rt}))
	}
	client, err := kii.New("app", "key", kii.Site(base+"/api"), opts...)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) error {
		return client.User.ResetPassword(ctx, address, kii.NotificationSMSPIN)
	}, nil
}

// tunedTransport is what a careful user of net/http has: as many idle connections as callers.
func tunedTransport() *http.Transport {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConns, t.MaxIdleConnsPerHost = 128, 128
	return t
}

func tuned(base string, rt *http.Transport) (ask, error) {
	if rt == nil {
		rt = tunedTransport()
	}
	return byNetHTTP(base, &http.Client{Transport: rt}), nil
}

func naive(base string, rt *http.Transport) (ask, error) {
	if rt == nil {
		return byNetHTTP(base, http.DefaultClient), nil
	}
	return byNetHTTP(base, &http.Client{Transport: rt}), nil
}

// byNetHTTP is the least that asks for a reset and knows whether it was accepted: no deadline,
// no check of the arguments, no retry, no error code, nothing kept secret.
func byNetHTTP(base string, hc *http.Client) ask {
	return func(ctx context.Context) error {
		body, err := json.Marshal(resetRequest{"SMS", "PIN"})
		if err != nil {
			return err
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, base+resetPath, bytes.NewReader(body))
		if err != nil {
			return err
		}
		req.Header.Set("Content-Type", contentType)
		req.Header.Set("X-Kii-AppID", "app")
		req.Header.Set("X-Kii-AppKey", "key")
		resp, err := hc.Do(req)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		if _, err := io.Copy(io.Discard, resp.Body); err != nil {
			return err
		}
		if resp.StatusCode != http.StatusNoContent {
			return errors.New(resp.Status)
		}
		return nil
	}
}

func idiomaticResty(base string, rt *http.Transport) (ask, error) {
	client := resty.New()
	if rt != nil {
		client = resty.NewWithClient(&http.Client{Transport: rt})
	}
	client.SetBaseURL(base).SetTimeout(30*time.Second).SetHeader("X-Kii-AppID", "app").SetHeader("X-Kii-AppKey", "key")
	return func(ctx context.Context) error {
		resp, err := client.R().
			SetContext(ctx).
			SetHeader("Content-Type", contentType).
			SetPathParam("id", "EMAIL:"+address).
			SetBody(resetRequest{"SMS", "PIN"}).
			Post("/api/apps/app/users/{id}/password/request-reset")
		if err != nil {
			return err
		}
		if resp.StatusCode() != http.StatusNoContent {
			return fmt.Errorf("status %s", resp.Status())
		}
		return nil
	}, nil
}
