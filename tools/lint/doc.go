// Package lint holds no code: its module pins golangci-lint.
package lint
