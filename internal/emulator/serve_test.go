package emulator

import (
	"bytes"
	"context"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAnAddressFileThatCannotBeWrittenEndsTheStart(t *testing.T) {
	t.Parallel()
	o := testOptions
	o.Addr, o.AddrFile, o.Export = "127.0.0.1:0", filepath.Join(t.TempDir(), "gone", "addr"), filepath.Join(t.TempDir(), "export.json")
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	var stdout, stderr bytes.Buffer
	require.ErrorContains(t, Serve(ctx, o, strings.NewReader(""), &stdout, &stderr), "-addr-file: ")
	assert.Empty(t, stdout.String()+stderr.String(), "nobody is told that it serves")
	assert.FileExists(t, o.Export)
}
