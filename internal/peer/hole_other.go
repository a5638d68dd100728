//go:build !linux

package peer

import "errors"

// BlackHole fails: how a listener's queue fills is known of Linux only.
func BlackHole() (string, error) { return "", errors.ErrUnsupported }
