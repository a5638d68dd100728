package main

import (
	"archive/tar"
	"crypto/sha256"
	"fmt"
	"io"
	"log"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-containerregistry/pkg/crane"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// written returns the image for this machine, read back from the file that writeImages wrote, and
// the index of all images.
func written(t *testing.T) (v1.Image, v1.ImageIndex) {
	t.Helper()
	out := t.TempDir()
	for _, p := range platforms {
		if p.os != "linux" {
			continue
		}
		if p.arch == runtime.GOARCH {
			require.NoError(t, build("../..", out, p))
			continue
		}
		require.NoError(t, os.WriteFile(filepath.Join(out, p.file()), []byte(p.arch), 0o600))
	}
	index, err := writeImages(out)
	require.NoError(t, err)
	file := filepath.Join(out, platform{"linux", runtime.GOARCH}.file()+".image.tar")
	img, err := tarball.ImageFromPath(file, nil)
	require.NoError(t, err)
	return img, index
}

// unpack writes the image's files to a folder and returns their names.
func unpack(t *testing.T, img v1.Image, folder string) (names []string) {
	t.Helper()
	files := mutate.Extract(img)
	defer files.Close()
	for r := tar.NewReader(files); ; {
		header, err := r.Next()
		if err == io.EOF {
			return names
		}
		require.NoError(t, err)
		names = append(names, header.Name)
		require.True(t, filepath.IsLocal(header.Name), header.Name)
		content, err := io.ReadAll(r)
		require.NoError(t, err)
		syscall.ForkLock.RLock() // a process that another test starts would inherit the open file, which then cannot run
		err = os.WriteFile(filepath.Join(folder, header.Name), content, header.FileInfo().Mode())
		syscall.ForkLock.RUnlock()
		require.NoError(t, err)
	}
}

func TestImageHoldsTheEmulatorAndNothingElse(t *testing.T) {
	t.Parallel()
	img, _ := written(t)
	assert.Equal(t, []string{"kii-emulator"}, unpack(t, img, t.TempDir()))
	config, err := img.ConfigFile()
	require.NoError(t, err)
	assert.Equal(t, []string{"/kii-emulator"}, config.Config.Entrypoint)
	assert.Equal(t, runtime.GOARCH, config.Architecture)
	user, _, _ := strings.Cut(config.Config.User, ":")
	assert.NotContains(t, []string{"", "0", "root"}, user)
}

// Whatever a release holds can be checked: the attestation covers what SHA256SUMS lists.
func TestChecksumsCoverEachFileOfARelease(t *testing.T) {
	t.Parallel()
	out := t.TempDir()
	for _, p := range platforms {
		require.NoError(t, os.WriteFile(filepath.Join(out, p.file()), []byte(p.file()), 0o600))
	}
	_, err := writeImages(out)
	require.NoError(t, err)
	require.NoError(t, writeSums(out))
	require.NoError(t, writeSums(out), "a second time, with a list of checksums there")
	files, err := filepath.Glob(filepath.Join(out, "kii-emulator-*"))
	require.NoError(t, err)
	require.Greater(t, len(files), len(platforms), "the images too")
	var want strings.Builder
	for _, file := range files {
		content, err := os.ReadFile(file)
		require.NoError(t, err)
		fmt.Fprintf(&want, "%x  %s\n", sha256.Sum256(content), filepath.Base(file))
	}
	sums, err := os.ReadFile(filepath.Join(out, "SHA256SUMS"))
	require.NoError(t, err)
	assert.Equal(t, want.String(), string(sums))
}

func TestPushedIndexHasAnImageForEachLinuxSystem(t *testing.T) {
	t.Parallel()
	_, index := written(t)
	server := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	defer server.Close()
	reference, err := pushImages(index, strings.TrimPrefix(server.URL, "http://")+"/kii-emulator:v1.2.3")
	require.NoError(t, err)
	for _, p := range platforms {
		if p.os != "linux" {
			continue
		}
		img, err := crane.Pull(reference, crane.WithPlatform(&v1.Platform{OS: p.os, Architecture: p.arch}))
		require.NoError(t, err)
		config, err := img.ConfigFile()
		require.NoError(t, err)
		assert.Equal(t, p.arch, config.Architecture)
	}
}
