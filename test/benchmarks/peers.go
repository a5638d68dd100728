package main

import (
	"context"
	"net"
	"net/http"
	"strings"

	firebase "firebase.google.com/go/v4"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/supabase-community/gotrue-go"
	"github.com/supabase-community/gotrue-go/types"
	"golang.org/x/oauth2"
	"google.golang.org/api/option"
)

// gotrue-go takes no context.
func useGotrue(base string, rt *http.Transport) (ask, error) {
	client := gotrue.New("project", "key").WithCustomGoTrueURL(base + "/auth/v1")
	if rt != nil {
		client = client.WithClient(http.Client{Transport: rt})
	}
	return func(context.Context) error {
		return client.Recover(types.RecoverRequest{Email: address})
	}, nil
}

func useCognito(base string, rt *http.Transport) (ask, error) {
	opts := cognitoidentityprovider.Options{Region: "eu-west-1", BaseEndpoint: &base, Credentials: aws.AnonymousCredentials{}}
	if rt != nil {
		opts.HTTPClient = &http.Client{Transport: rt}
	}
	client := cognitoidentityprovider.New(opts)
	return func(ctx context.Context) error {
		_, err := client.ForgotPassword(ctx, &cognitoidentityprovider.ForgotPasswordInput{
			ClientId: aws.String("client"), Username: aws.String(address),
		})
		return err
	}, nil
}

// The Firebase client knows one host, so the dial is led from there to base. Its transport is a
// copy of http.DefaultTransport, made in Auth.
func useFirebase(base string, rt *http.Transport) (ask, error) {
	opts := []option.ClientOption{option.WithTokenSource(oauth2.StaticTokenSource(&oauth2.Token{AccessToken: "token"}))}
	if rt != nil {
		opts = append(opts, option.WithHTTPClient(&http.Client{Transport: rt}))
	}
	ctx := context.Background()
	app, err := firebase.NewApp(ctx, &firebase.Config{ProjectID: "project", ServiceAccountID: "account"}, opts...)
	if err != nil {
		return nil, err
	}
	original := http.DefaultTransport
	defer func() { http.DefaultTransport = original }()
	led := original.(*http.Transport).Clone()
	led.Proxy = nil // the server is here, whatever it is called
	led.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, strings.TrimPrefix(base, "https://"))
	}
	http.DefaultTransport = led
	client, err := app.Auth(ctx)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) error {
		_, err := client.PasswordResetLink(ctx, address)
		return err
	}, nil
}
