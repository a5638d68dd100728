package main

import (
	"os"
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
