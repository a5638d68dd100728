// Release makes what a release of the emulator consists of: a static binary for each system, their
// checksums, and a container image that holds the Linux binary and nothing else. It needs neither
// Docker nor a network. From the top folder:
//
//	go -C tools run ./release                                     # into dist
//	go -C tools run ./release -push ghcr.io/go-kii/kii-emulator:v0.1.0
//
// With -push the image also goes to a registry, with the login that docker login has stored; the
// reference with its digest is then printed.
package main

import (
	"crypto/sha256"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

const sumsFile = "SHA256SUMS"

// A platform is a system that has a binary, as Go names it.
type platform struct{ os, arch string }

var platforms = []platform{
	{"darwin", "amd64"},
	{"darwin", "arm64"},
	{"freebsd", "amd64"},
	{"linux", "amd64"},
	{"linux", "arm64"},
	{"windows", "amd64"},
	{"windows", "arm64"},
}

// file is the name of the binary. It has no version, so that a link to the newest release stays.
func (p platform) file() string {
	name := "kii-emulator-" + p.os + "-" + p.arch
	if p.os == "windows" {
		name += ".exe"
	}
	return name
}

func main() {
	root := flag.String("root", "..", "the library's top `folder`")
	out := flag.String("out", "../dist", "the `folder` to write to")
	push := flag.String("push", "", "push the image to this `reference`")
	flag.Parse()
	if err := release(*root, *out, *push); err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}

func release(root, out, push string) error {
	out, err := filepath.Abs(out)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(out, 0o755); err != nil {
		return err
	}
	for _, p := range platforms {
		if err := build(root, out, p); err != nil {
			return err
		}
	}
	images, err := writeImages(out)
	if err != nil {
		return err
	}
	if err := writeSums(out); err != nil || push == "" {
		return err
	}
	digest, err := pushImages(images, push)
	if err != nil {
		return err
	}
	fmt.Println(digest)
	return nil
}

// build compiles the emulator for p. The same commit and Go release give the same bytes.
func build(root, out string, p platform) error {
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w",
		"-o", filepath.Join(out, p.file()), "./cmd/kii-emulator")
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS="+p.os, "GOARCH="+p.arch)
	cmd.Stderr = os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("build for %s/%s: %w", p.os, p.arch, err)
	}
	return nil
}

// writeSums lists the checksum of each file in out, as sha256sum -c reads it.
func writeSums(out string) error {
	files, err := os.ReadDir(out)
	if err != nil {
		return err
	}
	var sums strings.Builder
	for _, file := range files {
		if file.Name() == sumsFile {
			continue
		}
		content, err := os.ReadFile(filepath.Join(out, file.Name()))
		if err != nil {
			return err
		}
		fmt.Fprintf(&sums, "%x  %s\n", sha256.Sum256(content), file.Name())
	}
	return os.WriteFile(filepath.Join(out, sumsFile), []byte(sums.String()), 0o644)
}
