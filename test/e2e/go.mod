module github.com/go-kii/kii/test/e2e

go 1.26.0

require (
	github.com/chromedp/cdproto v0.159.3
	github.com/chromedp/chromedp v0.23.0
	github.com/go-kii/kii v0.0.0
)

require (
	github.com/go-json-experiment/json v1.27.2 // indirect
	github.com/go-resty/resty/v2 v2.17.2 // indirect
	golang.org/x/net v0.62.0 // indirect
)

replace github.com/go-kii/kii => ../../
