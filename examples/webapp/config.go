package main

import (
	"net/netip"
	"net/url"
	"time"
)

// config is what differs from site to site.
type config struct {
	url         *url.URL       // scheme and host; requests to another host are refused
	proxy       bool           // in front is at least one, which ends TLS
	proxies     []netip.Prefix // of which all are in these networks; none: the one that is reached by, whatever its address
	name        string
	support     string // an e-mail address
	language    string // of the pages: a file in words
	zone        *time.Location
	region      string // whose phone numbers are typed without a country, such as JP
	minPassword int    // in characters

	window                                            time.Duration // that the numbers below are for
	asksPerAccount, triesPerAccount, loginsPerAccount int
	asksPerClient, triesPerClient, loginsPerClient    int
	again                                             time.Duration // two requests for one message within this are a double click
	step                                              time.Duration // refusals are answered at whole steps after the request
	resetLife, loginLife, visitLife                   time.Duration
	workers, queue                                    int
}

func defaults() config {
	return config{
		name:        "Example",
		support:     "support@example.com",
		language:    "en",
		zone:        time.Local,
		region:      "JP",
		minPassword: 8,

		window:         15 * time.Minute,
		asksPerAccount: 3, triesPerAccount: 5, loginsPerAccount: 10,
		asksPerClient: 10, triesPerClient: 20, loginsPerClient: 30,
		again:     30 * time.Second,
		step:      time.Second,
		resetLife: 15 * time.Minute, loginLife: time.Hour, visitLife: time.Hour,
		workers: 4, queue: 256,
	}
}
