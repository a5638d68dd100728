package main

import (
	"archive/tar"
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

const program = "/kii-emulator"

// writeImages writes an image for each Linux binary in out, as docker load takes it, and returns
// all of them as one index.
func writeImages(out string) (v1.ImageIndex, error) {
	index := mutate.IndexMediaType(empty.Index, types.DockerManifestList)
	for _, p := range platforms {
		if p.os != "linux" {
			continue
		}
		binary, err := os.ReadFile(filepath.Join(out, p.file()))
		if err != nil {
			return nil, err
		}
		img, err := image(binary, p)
		if err != nil {
			return nil, err
		}
		tag, err := name.NewTag("kii-emulator:latest")
		if err != nil {
			return nil, err
		}
		file := filepath.Join(out, p.file()+".image.tar")
		if err := tarball.WriteToFile(file, tag, img); err != nil {
			return nil, err
		}
		index = mutate.AppendManifests(index, mutate.IndexAddendum{
			Add:        img,
			Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: p.os, Architecture: p.arch}},
		})
	}
	return index, nil
}

// image is an empty file system with the binary in it. It bears no time of its making, so that the
// same binary gives the same digest.
func image(binary []byte, p platform) (v1.Image, error) {
	var files bytes.Buffer
	w := tar.NewWriter(&files)
	header := &tar.Header{Name: program[1:], Mode: 0o755, Size: int64(len(binary))}
	if err := w.WriteHeader(header); err != nil {
		return nil, err
	}
	if _, err := w.Write(binary); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(files.Bytes())), nil
	})
	if err != nil {
		return nil, err
	}
	img, err := mutate.AppendLayers(empty.Image, layer)
	if err != nil {
		return nil, err
	}
	config, err := img.ConfigFile()
	if err != nil {
		return nil, err
	}
	config = config.DeepCopy()
	config.OS, config.Architecture = p.os, p.arch
	config.Config = v1.Config{
		Entrypoint: []string{program},
		// A published port comes in from outside of the container, and by any number. Between
		// containers the name of the service is the host: one named so needs no flags.
		Cmd:          []string{"-addr", ":8484", "-expose", "localhost:0", "-expose", "127.0.0.1:0", "-expose", "kii-emulator:0"},
		ExposedPorts: map[string]struct{}{"8484/tcp": {}},
		Healthcheck:  &v1.HealthConfig{Test: []string{"CMD", program, "-ready"}, Interval: 2 * time.Second},
		User:         "65532:65532", // nobody's, and not root
		Labels: map[string]string{
			"org.opencontainers.image.source":   "https://github.com/go-kii/kii",
			"org.opencontainers.image.licenses": "MIT",
		},
	}
	return mutate.ConfigFile(img, config)
}

// pushImages sends the index to a registry and returns the reference with its digest.
func pushImages(index v1.ImageIndex, reference string) (string, error) {
	ref, err := name.ParseReference(reference)
	if err != nil {
		return "", err
	}
	if err := remote.WriteIndex(ref, index, remote.WithAuthFromKeychain(authn.DefaultKeychain)); err != nil {
		return "", err
	}
	digest, err := index.Digest()
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%s@%s", ref.Context(), digest), nil
}
