// Package tools holds no code: its module pins the tools that check and release the library, so
// that they are no dependency of it. The linter has a module of its own, lint, since it needs other
// versions of what the other tools use. From the top folder:
//
//	go tool -modfile=tools/lint/go.mod golangci-lint run
//	go tool -modfile=tools/go.mod actionlint
package tools
