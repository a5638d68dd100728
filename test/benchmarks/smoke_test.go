package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestMain(m *testing.M) {
	if os.Getenv(roleEnv) != "" {
		serve()
		return
	}
	os.Exit(m.Run())
}

func TestEveryContestantIsAnsweredAndMeasured(t *testing.T) {
	r, err := compare(t.Context(), smoke, nil)
	if err != nil {
		t.Fatal(err)
	}
	text := r.markdown()
	for _, c := range contestants {
		if got := strings.Count(text, "| "+c.name+" |"); got < 3 {
			t.Errorf("%s is in %d tables", c.name, got)
		}
	}
}

// If the library asked types for their methods by reflect, the linker would keep every method.
func TestAProgramHoldsNoMethodThatNobodyCalls(t *testing.T) {
	t.Parallel()
	program := filepath.Join(t.TempDir(), "program.exe")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", program, "./weight/kii").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	symbols, err := exec.CommandContext(t.Context(), "go", "tool", "nm", program).Output()
	if err != nil {
		t.Fatal(err)
	}
	const idle, called = "github.com/go-resty/resty/v2.(*Client).AddRetryHook\n", "github.com/go-resty/resty/v2.(*Request).Execute\n"
	if !strings.Contains(string(symbols), called) || strings.Contains(string(symbols), idle) {
		t.Error("the program holds a method that nobody calls, or no method at all")
	}
}
