// Package demo lets one program run on the real Kii Cloud, asking on the terminal, or by itself on
// an in-memory one, answering its own questions.
package demo

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"

	"github.com/go-kii/kii"
	"github.com/go-kii/kii/kiitest"
)

// The account of the in-memory Kii Cloud.
const (
	Email       = "alice@example.com"
	Phone       = "+819012345678"
	OldPassword = "old-password"
)

// NoArguments answers -h with what the program does, and ends it if it was given an argument:
// nobody would read it.
func NoArguments(does string) {
	flag.Usage = func() {
		fmt.Fprintf(os.Stderr, `%s
It takes no arguments. KII_APP_ID, KII_APP_KEY and KII_SITE (a base URL, such as %s) name
the app; without them it runs on an in-memory Kii Cloud, and answers its own questions.
`, does, kii.SiteUS)
	}
	flag.Parse()
	if flag.NArg() > 0 {
		flag.Usage()
		os.Exit(2)
	}
}

// A Cloud is the Kii Cloud that an example talks to.
type Cloud struct {
	*kii.Client
	Server *kiitest.Server // nil: the real one
	UserID string          // of the account in Server

	ctx      context.Context // ends questions, which wait for a person
	in       *bufio.Reader
	terminal bool // in is the process's own
	out      io.Writer
}

// Open connects to the app that KII_APP_ID, KII_APP_KEY and KII_SITE name. If none of them is set,
// it starts an in-memory Kii Cloud whose portal is set to flow. in and out are the terminal. The
// end of ctx ends a question that is open.
func Open(ctx context.Context, getenv func(string) string, in io.Reader, out io.Writer, flow kiitest.ResetFlow) (*Cloud, error) {
	c := &Cloud{ctx: ctx, in: bufio.NewReader(in), terminal: in == os.Stdin, out: out}
	appID, appKey, site := getenv("KII_APP_ID"), getenv("KII_APP_KEY"), getenv("KII_SITE")
	if appID == "" && appKey == "" && site == "" {
		c.Server = kiitest.NewServer(kiitest.WithSettings(func(s *kiitest.Settings) { s.ResetFlow = flow }))
		c.UserID = c.Server.AddAccount(kiitest.Account{
			Email: Email, EmailVerified: true, Phone: Phone, PhoneVerified: true, Password: OldPassword,
		})
		appID, appKey, site = c.Server.AppID(), c.Server.AppKey(), string(c.Server.Site())
		c.Say("No KII_APP_ID is set: this runs on an in-memory Kii Cloud at %s and types its own answers", site)
	}
	client, err := kii.New(appID, appKey, kii.Site(site))
	if err != nil {
		c.Close()
		return nil, fmt.Errorf("KII_APP_ID, KII_APP_KEY and KII_SITE: %w", err)
	}
	c.Client = client
	return c, nil
}

// Close stops the in-memory Kii Cloud.
func (c *Cloud) Close() {
	if c.Server != nil {
		c.Server.Close()
	}
}

// Say prints a line.
func (c *Cloud) Say(format string, args ...any) { fmt.Fprintf(c.out, format+"\n", args...) }

// Ask asks the person at the terminal. On the in-memory Kii Cloud it prints answer as if it had
// been typed.
func (c *Cloud) Ask(question, answer string) (string, error) {
	fmt.Fprint(c.out, question+": ")
	if c.Server != nil {
		c.Say("%s", answer)
		return answer, nil
	}
	var line string
	var err error
	read := make(chan struct{})
	go func() { line, err = c.in.ReadString('\n'); close(read) }()
	select {
	case <-read:
	case <-c.ctx.Done():
		c.Say("")
		return "", context.Cause(c.ctx)
	}
	if err != nil && line == "" {
		c.Say("")
		return "", fmt.Errorf("no answer to %q: %w", question, err)
	}
	return strings.TrimRight(line, "\r\n"), nil
}

// AskPassword is like Ask, but what is typed is not shown.
func (c *Cloud) AskPassword(question, answer string) (string, error) {
	if c.Server != nil {
		c.Say("%s: (not shown)", question)
		return answer, nil
	}
	if !c.terminal || !isTerminal(os.Stdin) {
		return c.Ask(question, "") // a pipe or a file echoes nothing
	}
	restore, err := echoOff()
	if err != nil {
		return "", err
	}
	defer c.Say("")
	defer restore()
	return c.Ask(question, "")
}

func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// echoOff keeps the terminal from showing what is typed, until restore is called. The standard
// library has no call for that, and golang.org/x/term would be a dependency of the library's
// module, so this runs stty.
func echoOff() (restore func(), err error) {
	stty := func(arg string) error {
		cmd := exec.Command("stty", arg)
		cmd.Stdin = os.Stdin
		return cmd.Run()
	}
	if err := stty("-echo"); err != nil {
		return nil, errors.New("cannot keep the terminal from showing the password, since stty is missing: pipe the answers in")
	}
	return func() { _ = stty("echo") }, nil
}

// Sent shows and returns the last message that the in-memory Kii Cloud "sent".
func (c *Cloud) Sent() (kiitest.Message, error) {
	msg, ok := c.Server.LastMessage(c.UserID)
	if !ok {
		return msg, errors.New("no message was sent")
	}
	c.Say("  [%s to %s] %s", msg.Channel, msg.To, strings.ReplaceAll(msg.Text, "\n", " "))
	return msg, nil
}

// Follow does what a browser does when the user opens a link or, if form is set, submits a form.
func (c *Cloud) Follow(ctx context.Context, link, form string) error {
	method := http.MethodGet
	if form != "" {
		method = http.MethodPost
	}
	req, err := http.NewRequestWithContext(ctx, method, link, strings.NewReader(form))
	if err != nil {
		return errors.New("the message holds a link that is no URL")
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("the page behind the link answered %d", resp.StatusCode)
	}
	return nil
}

// Explain adds to the error of a reset what its caller needs to know: whether anything happened,
// and what to do about it.
func Explain(err error) error {
	if kii.OutcomeUnknown(err) {
		return fmt.Errorf("it may still have happened: look for a message, or try to log in: %w", err)
	}
	return fmt.Errorf("nothing was changed%s: %w", advice(err), err)
}

func advice(err error) string {
	switch code, _ := errors.AsType[kii.ErrorCode](err); code {
	case kii.ErrUserNotFound:
		return ", because no user has this ID or verified address"
	case kii.ErrAddressNotVerified:
		return ", because the user has verified no address for such a message"
	case kii.ErrNoPassword:
		return ", because the user logs in without a password, as by a social network"
	case kii.ErrUserDisabled:
		return ", because the account is disabled"
	case kii.ErrPINExpired:
		return ", because the PIN is too old: start again for a new one"
	case kii.ErrRateLimited:
		return ", because there were too many calls: start again in a minute"
	}
	return ""
}

// Longer says what an app wants that refused a password with [kii.ErrPasswordTooShort].
func Longer(err error) string {
	if e, ok := errors.AsType[*kii.APIError](err); ok && e.MinPasswordLength > 0 {
		return fmt.Sprintf("a password of at least %d characters", e.MinPasswordLength)
	}
	return "a longer password"
}

// ShowOldSession reports what became of a session that was obtained with the old password. On the
// real Kii Cloud there is no such session.
func (c *Cloud) ShowOldSession(ctx context.Context, old *kii.Session) error {
	if old == nil {
		return nil
	}
	_, err := old.Profile(ctx)
	if ended, ok := errors.AsType[*kii.SessionError](err); ok {
		c.Say("The old session is over, as %T tells: %v", ended, ended)
		return nil
	}
	return fmt.Errorf("the old session did not end: %w", err)
}

// LoginOld logs the in-memory account in with the old password. On the real Kii Cloud it does
// nothing, because the user forgot the password.
func (c *Cloud) LoginOld(ctx context.Context) (*kii.Session, error) {
	if c.Server == nil {
		return nil, nil
	}
	session, err := c.User.Login(ctx, Email, OldPassword)
	if err == nil {
		c.Say("Logged in with the old password, so that there is a session to end")
	}
	return session, err
}

// LoginNew logs the user in with the new password.
func (c *Cloud) LoginNew(ctx context.Context, id, password string) error {
	session, err := c.User.Login(ctx, id, password)
	_, cannotBe := errors.AsType[*kii.ArgumentError](err)
	if cannotBe || errors.Is(err, kii.ErrWrongCredentials) {
		return fmt.Errorf("this is not the password: if the app's reset flow is Generate Password, it is in Kii Cloud's second message: %w", err)
	}
	if err == nil {
		_, err = session.Profile(ctx)
	}
	if err != nil {
		return fmt.Errorf("whether this is the password could not be found out: %w", err)
	}
	c.Say("Logged in with the new password")
	return nil
}
