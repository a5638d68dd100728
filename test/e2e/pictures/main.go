// Pictures takes the pictures of the README: the emulator's page and the web site, each light and
// dark. It needs chromium. From the root of the repository:
//
//	go -C test/e2e run ./pictures
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/go-kii/kii"
)

const (
	images = "../../docs/images" // from the module's folder, which go -C makes the current one
	width  = 1200                // CSS pixels, as are heights
	scale  = 1.2                 // sharp on a fine screen, and below 200 KB a picture
)

const seed = `{
  "settings": {"resetFlow": "INPUT"},
  "users": [
    {"loginName": "alice", "email": "alice@example.com", "emailVerified": true, "phone": "+819012341234", "phoneVerified": true, "password": "old-pass"},
    {"loginName": "bob", "email": "bob@example.com", "phone": "+14085550100", "phoneVerified": true, "password": "bobs-pass"}
  ]
}`

func main() {
	log.SetFlags(0)
	if err := take(); err != nil {
		log.Fatal(err)
	}
}

func take() error {
	var programs sync.WaitGroup
	defer programs.Wait() // until what cancel ends is gone
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	folder, err := os.MkdirTemp("", "kii-pictures-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	seedFile := filepath.Join(folder, "seed.json")
	if err := errors.Join(os.MkdirAll(images, 0o755), os.WriteFile(seedFile, []byte(seed), 0o600)); err != nil {
		return err
	}
	emulator, err := start(ctx, &programs, folder, "cmd/kii-emulator", "-seed", seedFile, "-addr")
	if err != nil {
		return err
	}
	site, err := start(ctx, &programs, folder, "examples/webapp", "-listen")
	if err != nil {
		return err
	}
	if err := send(ctx, emulator); err != nil {
		return err
	}

	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath("chromium"), chromedp.NoSandbox, chromedp.UserDataDir(filepath.Join(folder, "profile")))
	allocator, cancelAllocator := chromedp.NewExecAllocator(ctx, options...)
	defer cancelAllocator()
	browser, cancelBrowser := chromedp.NewContext(allocator)
	defer cancelBrowser()
	if err := photograph(browser, "emulator", 520, chromedp.Navigate(emulator)); err != nil {
		return err
	}
	return photograph(browser, "webapp", 680,
		chromedp.Navigate(site+"/forgot"),
		chromedp.SendKeys(chromedp.CSS("#account"), "alice@example.com"),
		chromedp.Click(chromedp.CSS(`[value="SMS_PIN"]`)),
		chromedp.Click(chromedp.CSS(`[action="/forgot"] [type="submit"]`)),
		chromedp.WaitVisible(chromedp.CSS("#code")),
		chromedp.SendKeys(chromedp.CSS("#code"), "481516"),
		chromedp.SendKeys(chromedp.CSS("#password"), "seven quiet otters"),
		chromedp.Evaluate[chromedp.Void]("scrollTo(0, 0)"),
	)
}

// start builds a program and runs it until the context is done, at a free port of loopback that the
// last of its flags names. It returns its URL.
func start(ctx context.Context, programs *sync.WaitGroup, folder, program string, flags ...string) (string, error) {
	binary := filepath.Join(folder, filepath.Base(program))
	build := exec.CommandContext(ctx, "go", "-C", "../../"+program, "build", "-o", binary)
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	address := free.Addr().String()
	free.Close()
	cmd := exec.CommandContext(ctx, binary, append(flags, address)...)
	cmd.Env = []string{} // the site is to use its own Kii Cloud
	if err := cmd.Start(); err != nil {
		return "", err
	}
	programs.Go(func() { _ = cmd.Wait() })
	for url := "http://" + address; ; time.Sleep(50 * time.Millisecond) {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
		if err != nil {
			return "", err
		}
		if reply, err := http.DefaultClient.Do(request); err == nil {
			reply.Body.Close()
			return url, nil
		}
		if ctx.Err() != nil {
			return "", fmt.Errorf("%s does not answer: %w", program, ctx.Err())
		}
	}
}

// send has the emulator send messages that are pending, used and replaced.
func send(ctx context.Context, emulator string) error {
	client, err := kii.New("emulator", "emulator-key", kii.Site(emulator+"/api"))
	if err != nil {
		return err
	}
	if err := client.User.ResetPassword(ctx, "LOGIN_NAME:bob", kii.NotificationSMSPIN); err != nil {
		return err
	}
	pin, err := latestPIN(ctx, emulator)
	return errors.Join(err,
		client.User.CompleteResetPassword(ctx, "LOGIN_NAME:bob", pin, new("another-pass")),
		client.User.ResetPassword(ctx, "LOGIN_NAME:alice", kii.NotificationSMSPIN),
		client.User.ResetPassword(ctx, "LOGIN_NAME:alice", kii.NotificationEmail),
		client.User.ResetPassword(ctx, "LOGIN_NAME:bob", kii.NotificationSMS),
		client.User.ResetPassword(ctx, "LOGIN_NAME:alice", kii.NotificationSMSPIN),
	)
}

func latestPIN(ctx context.Context, emulator string) (string, error) {
	url := emulator + "/emulator/v1/messages/latest?purpose=reset-pin"
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return "", err
	}
	reply, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	defer reply.Body.Close()
	var message struct{ PIN string }
	err = json.NewDecoder(reply.Body).Decode(&message)
	return message.PIN, err
}

// photograph keeps what is seen after some actions, in a light and in a dark browser.
func photograph(ctx context.Context, name string, height int64, actions ...chromedp.Action[chromedp.Void]) error {
	screen := emulation.SetDeviceMetricsOverrideParams{Width: width, Height: height, DeviceScaleFactor: scale}
	if err := chromedp.Do(ctx); err != nil { // starts the browser
		return err
	}
	if _, err := chromedp.Call(ctx, emulation.SetDeviceMetricsOverride, screen); err != nil {
		return err
	}
	if err := chromedp.Do(ctx, actions...); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	for _, theme := range []string{"light", "dark"} {
		media := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: theme}}}
		if _, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, media); err != nil {
			return err
		}
		picture, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
		if err != nil {
			return err
		}
		file := filepath.Join(images, name+"-"+theme+".png")
		if err := os.WriteFile(file, picture, 0o644); err != nil {
			return err
		}
		fmt.Printf("%s %d KB\n", file, len(picture)>>10)
	}
	return nil
}
