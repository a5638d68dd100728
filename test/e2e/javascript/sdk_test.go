// Package javascript_test runs Kii's JavaScript SDK against the emulator.
package javascript_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Kii's own SDK, which was written against the real Kii Cloud, finds all that it looks for.
func TestOfficialSDKsAdministratorAndVerification(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat("../node_modules/kii-cloud-sdk"); err != nil {
		t.Skip("the SDK is not installed: run npm ci in test/e2e")
	}
	emulator := filepath.Join(t.TempDir(), "kii-emulator")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", emulator, "github.com/go-kii/kii/cmd/kii-emulator")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	out, err := exec.CommandContext(t.Context(), emulator, "--", "node", "story.js").CombinedOutput()
	if err != nil || !strings.Contains(string(out), "checks passed") {
		t.Fatalf("%v\n%s", err, out)
	}
}
