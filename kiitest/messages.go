package kiitest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// maxMessages bounds how many messages a server keeps; the oldest go first.
const maxMessages = 10_000

// A Channel is how a message went to the user.
type Channel string

// The channels of a [Message].
const (
	Email Channel = "EMAIL"
	SMS   Channel = "SMS"
)

// A Purpose is what a message was sent for.
type Purpose string

// The purposes of a [Message].
const (
	ResetLink     Purpose = "RESET_LINK"     // holds a link that resets the password, or leads to the page that does
	ResetPIN      Purpose = "RESET_PIN"      // holds a PIN for complete-reset
	NewPassword   Purpose = "NEW_PASSWORD"   // holds a generated password, after a reset
	PasswordReset Purpose = "PASSWORD_RESET" // says that a password was chosen; sent unless InputResetIsSilent
	VerifyAddress Purpose = "VERIFY_ADDRESS" // holds a code that verifies the address it was sent to
)

func purposes() []Purpose {
	return []Purpose{ResetLink, ResetPIN, NewPassword, PasswordReset, VerifyAddress}
}

// A State is what became of the PIN, link or code in a message.
type State string

// The states of a [Message]. A message that holds nothing to use has none.
const (
	Pending  State = "PENDING"
	Used     State = "USED"
	Replaced State = "REPLACED" // ended by a newer one, a completed reset, another address or too many wrong PINs
	Expired  State = "EXPIRED"
)

// A Message is an e-mail or an SMS that the server would have sent. It prints without its recipient
// and its secrets.
type Message struct {
	ID       int       `json:"id"`               // counts from 1
	CallID   int       `json:"callID,omitempty"` // of the [Call] that sent it; 0: a Go method did
	UserID   string    `json:"userID"`
	Channel  Channel   `json:"channel"`
	Purpose  Purpose   `json:"purpose"`
	State    State     `json:"state,omitempty"`
	To       string    `json:"to"`                // an e-mail address, or an international phone number
	Subject  string    `json:"subject,omitempty"` // of an e-mail
	Text     string    `json:"text"`
	Link     string    `json:"link,omitempty"`
	PIN      string    `json:"pin,omitempty"` // keep it as text: it may start with a zero
	Code     string    `json:"code,omitempty"`
	Password string    `json:"password,omitempty"`
	Sent     time.Time `json:"sent"`
	Expires  time.Time `json:"expires,omitzero"` // from this moment on, what the message holds is expired
}

// Format prints only the kind of message and its state, whatever the verb.
func (m Message) Format(f fmt.State, _ rune) {
	fmt.Fprintf(f, "Message{%d %s %s %s}", m.ID, m.Channel, m.Purpose, cmp.Or(m.State, "-"))
}

// message is a Message as the server keeps it; its state is what happened, so never Expired.
type message struct {
	Message
	secret string // that the link carries
}

func (m *message) copy(now time.Time) Message {
	c := m.Message
	if c.State == Pending && m.expired(now) {
		c.State = Expired
	}
	return c
}

func (m *message) expired(now time.Time) bool { return !now.Before(m.Expires) }

// Messages returns all messages, newest first. The server keeps the last 9,000 at least, and
// their links.
func (s *Server) Messages() []Message { return s.FindMessages(Filter{}) }

// FindMessages returns the messages that the filter lets through, newest first.
func (s *Server) FindMessages(f Filter) []Message {
	defer s.lock("FindMessages")()
	s.checkFilter("FindMessages", f)
	var found []Message
	for _, m := range slices.Backward(s.messages) {
		if s.matches(f, m) {
			found = append(found, m.copy(s.now()))
		}
	}
	return found
}

// LatestMessages returns a part of what [Server.FindMessages] returns, newest first: at most limit
// messages, after the first skip. total is how many the filter lets through. It copies only what it
// returns, for a program that polls.
func (s *Server) LatestMessages(f Filter, skip, limit int) (part []Message, total int) {
	defer s.lock("LatestMessages")()
	s.checkFilter("LatestMessages", f)
	for _, m := range slices.Backward(s.messages) {
		if !s.matches(f, m) {
			continue
		}
		if skip <= total && len(part) < limit {
			part = append(part, m.copy(s.now()))
		}
		total++
		if f == (Filter{}) && len(part) >= limit {
			return part, len(s.messages)
		}
	}
	return part, total
}

// LastMessage returns the newest message to a user, by user ID or by address as for
// [Server.Account]. A message is recorded before the call that sent it is answered.
func (s *Server) LastMessage(id string) (Message, bool) {
	defer s.lock("LastMessage")()
	return s.newest(Filter{To: id})
}

// WaitMessage returns the newest message that the filter lets through, and waits for one if there
// is none: for programs that ask for a reset in the background. To wait for the next message, set
// Filter.After to the ID of the last one. Otherwise it returns the context's error, at once the
// error of [Filter.Validate], or an error when the server is closed. With Filter.After it also
// returns an error at once if that is above the newest ID, and as soon as [Server.Reset] or
// [Server.Restore] begins the IDs again.
func (s *Server) WaitMessage(ctx context.Context, f Filter) (Message, error) {
	if err := f.Validate(); err != nil {
		return Message{}, err
	}
	resets := -1 // not known yet
	for {
		if complaint := s.wrongClock(); complaint != "" { // wake would belong to another bubble than the call that closes it
			s.strict.report("WaitMessage: %s", complaint)
			return Message{}, errors.New("kiitest: WaitMessage: " + complaint)
		}
		wake := make(chan struct{})
		s.mu.Lock()
		m, found := s.newest(f)
		closed, sent := s.closed, s.sent
		if resets < 0 {
			resets = s.resets
		}
		reset := s.resets != resets && f.After > 0
		waits := !found && !closed && !reset && f.After <= sent
		if waits {
			s.waiters[wake] = struct{}{}
		}
		s.mu.Unlock()
		switch {
		case reset: // before found, as After is of other messages
			return Message{}, errors.New("kiitest: WaitMessage: the server was reset, and message IDs begin again")
		case found:
			return m, nil
		case closed:
			return Message{}, errors.New("kiitest: WaitMessage: the server is closed")
		case !waits:
			return Message{}, &FieldError{"Filter", "After", "is above the ID of the newest message; a reset begins the IDs again"}
		}
		select {
		case <-wake:
		case <-ctx.Done():
			s.mu.Lock()
			delete(s.waiters, wake)
			s.mu.Unlock()
			return Message{}, ctx.Err()
		}
	}
}

// DeleteMessages forgets the messages that the filter lets through and returns how many. A PIN or a
// link that the user has seen still works.
func (s *Server) DeleteMessages(f Filter) int {
	defer s.lock("DeleteMessages")()
	s.checkFilter("DeleteMessages", f)
	before := len(s.messages)
	s.messages = slices.DeleteFunc(s.messages, func(m *message) bool { return s.matches(f, m) })
	return before - len(s.messages)
}

// ExpireMessage makes the PIN, link or code in a message expire now, and reports whether it was
// still pending.
func (s *Server) ExpireMessage(id int) bool {
	defer s.lock("ExpireMessage")()
	now := s.now()
	for _, m := range s.messages {
		if m.ID == id && m.copy(now).State == Pending {
			m.Expires = now
			return true
		}
	}
	return false
}

func (s *Server) newest(f Filter) (Message, bool) {
	for _, m := range slices.Backward(s.messages) {
		if s.matches(f, m) {
			return m.copy(s.now()), true
		}
	}
	return Message{}, false
}

// send records a message to the user and wakes the waiters. What it holds is valid for the given
// time. The account has an address for the channel. The call is nil if a Go method sends it.
func (s *Server) send(c *call, a *account, m *message, validity time.Duration) {
	s.sent++
	m.ID, m.UserID, m.Sent = s.sent, a.ID, s.now()
	if c != nil {
		m.CallID = c.id
		c.sent = append(c.sent, m.ID)
	}
	if validity > 0 {
		m.Expires = m.Sent.Add(validity)
	}
	if m.To == "" {
		m.To = a.Email
		if m.Channel == SMS {
			m.To = a.Phone
		}
	}
	t := s.template(m, a.Locale)
	m.Subject, m.Text = t.fill(m, a, s.appID)
	if len(s.messages) == maxMessages {
		const oldest = maxMessages / 10 // a tenth at once, so that most calls move nothing
		for _, m := range s.messages[:oldest] {
			delete(s.links, m.secret)
		}
		s.messages = slices.Delete(s.messages, 0, oldest)
	}
	s.messages = append(s.messages, m)
	s.wake()
}

// wake has each waiter look again.
func (s *Server) wake() {
	for w := range s.waiters {
		close(w)
	}
	clear(s.waiters)
}
