package emulator

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

const readyTimeout = 5 * time.Second

// ready reports why no emulator answers at an address, or nil.
func ready(ctx context.Context, address string) error {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+apiRoot+"/ready", nil)
	if err != nil {
		return err
	}
	answer, err := new(http.Transport).RoundTrip(r) // by no proxy
	if err != nil {
		return fmt.Errorf("not ready: %w", err)
	}
	defer answer.Body.Close()
	var said struct{ Ready bool }
	if err := json.NewDecoder(http.MaxBytesReader(nil, answer.Body, maxBody)).Decode(&said); err != nil || !said.Ready {
		return fmt.Errorf("not ready: what serves at %s is no kii-emulator", address)
	}
	return nil
}
