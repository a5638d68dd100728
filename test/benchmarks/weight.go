package main

import (
	"context"
	"debug/buildinfo"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// A weight is what a program that asks for one reset weighs.
type weight struct {
	name    string
	modules int // besides the program's own
	size    int64
}

// weigh builds the programs below weight/, as go build does by default.
func weigh(ctx context.Context, names []string) ([]weight, error) {
	dir, err := os.MkdirTemp("", "kii-weight")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	var weights []weight
	for _, name := range names {
		binary := filepath.Join(dir, name)
		build := exec.CommandContext(ctx, "go", "build", "-o", binary, "./weight/"+name)
		if out, err := build.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("%w: %s", err, out)
		}
		info, err := buildinfo.ReadFile(binary)
		if err != nil {
			return nil, err
		}
		file, err := os.Stat(binary)
		if err != nil {
			return nil, err
		}
		weights = append(weights, weight{name, len(info.Deps), file.Size()})
	}
	return weights, nil
}
