// Package kii lets a Go back end reset the forgotten passwords of its Kii Cloud users, and log them
// in. It runs on servers, and is not affiliated with Kii.
//
// Make one [Client] with [New] and share it. What can be done without being logged in is in its
// User field:
//
//	client, err := kii.New(appID, appKey, kii.SiteJP)
//	err = client.User.ResetPassword(ctx, "alice@example.com", kii.NotificationSMSPIN)
//	err = client.User.CompleteResetPassword(ctx, "alice@example.com", pin, &newPassword)
//	session, err := client.User.Login(ctx, "alice@example.com", newPassword)
//
// # Naming a user
//
// Every id parameter takes one of these forms. Anything else is refused with an [*ArgumentError],
// before a request is sent. Kii Cloud finds no user by an address that is not verified.
//
//	"86f3cdcf-950d-…"       a user ID: anything that is none of the forms below
//	"alice@example.com"     an e-mail address, sent as EMAIL:alice@example.com
//	"+819012345678"         a phone number: + and 7 to 20 digits, sent as PHONE:+819012345678
//	"EMAIL:alice@example.com"
//	"PHONE:+819012345678"
//	"PHONE:JP-09012345678"  a phone number as dialled in its country
//	"LOGIN_NAME:alice"      a login name; Kii documents the form, and not whether a reset takes it
//
// For Login a bare name is a login name; Kii documents no login by a user ID. A phone number in its
// local form, such as 09012345678, would be sent as a name and find nobody: write it with its
// country.
//
// No id, PIN, code, app ID, app key, client ID, client secret or token is longer than 1,000 bytes,
// begins or ends with a space, or holds control, invisible or full-width characters, or a digit or
// sign beyond Latin-1, such as a non-breaking hyphen: those come along when text is pasted or typed
// on another keyboard. A letter may be of any script. A value that breaks these rules is refused
// with an [*ArgumentError] that names the parameter and never repeats the value.
//
// # Three ways to reset
//
// [User.ResetPassword] sends the user a message. Its method parameter says how: the user needs a
// verified address of that kind, whatever the id is, so a user named by e-mail can get an SMS. What
// comes next depends on the method, and on the setting "Password Reset Flow" of the developer
// portal, which no call of a user can read.
//
// [NotificationSMSPIN], an SMS with a PIN code, is the choice if the page is your own:
//
//	user    → program  forgot the password
//	program → Kii      ResetPassword(id, NotificationSMSPIN)
//	Kii     → user     SMS with a PIN
//	user    → program  PIN, and in the flow "Input Password" a new password
//	program → Kii      CompleteResetPassword(id, pin, &newPassword);
//	                   in the flow "Generate Password" with nil
//	Kii     → user     "Generate Password" only: SMS with the new password
//	user    → program  login with the new password
//
// [NotificationEmail], an e-mail with a link, leads to a page of Kii Cloud:
//
//	user    → program  forgot the password
//	program → Kii      ResetPassword(id, NotificationEmail)
//	Kii     → user     e-mail with a link
//	user    → Kii      opens the link
//	Kii     → user     "Generate Password": the click resets, and an e-mail brings the new password
//	                   "Input Password": a page asks for the new password; sending it resets
//	user    → program  login with the new password
//
// [NotificationSMS], an SMS with a link, is the same by SMS:
//
//	user    → program  forgot the password
//	program → Kii      ResetPassword(id, NotificationSMS)
//	Kii     → user     SMS with a link
//	user    → Kii      opens the link
//	Kii     → user     "Generate Password": the click resets, and an SMS brings the new password
//	                   "Input Password": a page asks for the new password; sending it resets
//	user    → program  login with the new password
//
// The program is not told that a link was used. In the flow "Generate Password" the click itself
// resets, so a mail scanner that opens links resets too: prefer the PIN, or "Input Password".
//
// To send another message, call ResetPassword again. Whether the older PIN or link then still works
// is not documented; tell the user to take the newest.
//
// # Three outcomes
//
// A nil error is proof: Kii Cloud answered as it does on success. For a reset request it means that
// Kii Cloud accepted the request, not that the message arrived. [OutcomeUnknown] picks out the
// errors after which the call may have been carried out. After any other error nothing happened.
//
//	switch err := client.User.ResetPassword(ctx, id, kii.NotificationSMSPIN); {
//	case err == nil: // done
//	case kii.OutcomeUnknown(err): // the SMS may be on its way
//	default: // nothing happened
//	}
//
// The error is a pointer of one of four types. An [*ArgumentError] means that this library refused
// the call. A [*TransportError] means that no whole answer arrived. An [*APIError] is an answer
// that is not a success, and unwraps to its [ErrorCode]. A [*SessionError] means that the user must
// log in again.
//
//	errors.Is(err, kii.ErrPINExpired)
//	errors.AsType[*kii.SessionError](err)
//
//	switch code, _ := errors.AsType[kii.ErrorCode](err); code {
//	case kii.ErrWrongPIN: // ask again
//	case kii.ErrPINExpired: // send another PIN
//	}
//
// An error is about its own call only. If the cause of the context is the error of another call, as
// with errgroup, errors.Is and errors.As find errors of your own types in it. They do not find
// those of this package, which say nothing about this call.
//
// # What a stranger may see
//
// Kii Cloud answers differently for an unknown user and a known one, and so the errors differ: your
// support staff can see why. A stranger's browser must not see the difference in the text, the
// status or the time. So answer every request for a reset alike, whatever err is, and before Kii
// Cloud is asked. A completion cannot be answered in advance: give one text for a wrong PIN, an
// expired one, a password that was refused and all that [RevealsAccount] reports. Limit how often
// each id and each client may ask, and how often a PIN may be tried; Kii Cloud documents no such
// limit. The program in examples/webapp does all of this.
//
// # How a session ends
//
// A completed reset ends the user's sessions, and so does [Session.ChangePassword]. Kii Cloud says
// so at the next call:
//
//	program → Kii      session.Profile(ctx)
//	Kii     → program  403 WRONG_TOKEN: returned as a *SessionError
//	program            every later call on session returns the same *SessionError, and sends nothing
//	user    → program  login with the new password
//
// A wrong PIN or password, a disabled account and an unknown outcome never end a session.
//
// # Users who cannot reset
//
// A reset needs a verified address. [Session.Profile] reports which addresses are verified, and
// while the user is logged in [Session.ChangeEmail], [Session.VerifyPhone] and the like put it
// right. Later only an administrator can: [Client.Admin] returns an [Admin], for a support desk,
// that sets an address as verified, sets a password, and disables or enables an account. The
// program in examples/support does this.
//
// # What is retried, what is not, and why
//
// A request that changes something and may have been carried out is never sent again, by any layer,
// net/http's replays on HTTP/2 included: a second one would send a second SMS, or burn the PIN.
// Only what is proved not to have left is tried again, up to two times (see [WithMaxRetries]): a
// failed look-up, dial or proxy connect, after a wait of 0.1 to 3 seconds. A [User.Login] is no
// exception, though repeating it yourself is safe. An [Admin] makes a call once more after the
// answer that its token is dead, which proves that nothing was done. [Session.Profile], which only
// reads, may be repeated by net/http if an HTTP/1 connection breaks. A 429 ([ErrRateLimited]) is
// not retried, because Kii asks clients not to; it documents no wait, so choose your own if
// [APIError].RetryAfter is 0.
//
// The numbers: a call ends within 30 seconds, retries included ([WithTimeout]); a dial within 5, a
// TLS handshake within 10. A reply is read up to 256 KiB after decompression, its headers up to 64
// KiB. 128 idle connections are kept for 30 seconds ([Client.CloseIdleConnections] closes them). No
// redirect is followed. The request of a [Session.Refresh], or for an [Admin]'s token, may outlive
// its caller: it ends within the time-out of a call.
//
// # Secrets and logs
//
// No error, token or profile prints a secret or an account when it is given to fmt or log/slog
// itself, and an error marshals to JSON as its text. The exceptions are %p, and %w outside
// [fmt.Errorf], for which fmt calls no method; go vet finds both. Inside another value a [Token]
// and a [Profile] may print theirs: fmt calls no method of what lies in an unexported field, and
// encoding/json and slog's JSON handler marshal what a slice, a map or a struct holds, as a token
// is made to be kept. So never print what holds one. Printers that read fields, such as spew and
// the diff of testify, show those of a token, a profile and an error; the secrets of a [Client], a
// [Session] and an [Admin] are out of their reach. Two fields are made for reading:
// [APIError].Message, which may describe the account, and [SessionError].UserID. Log them only if
// your log may hold that.
//
// The library itself is silent unless [WithLogger] is given: then each request is one record,
// whatever the number of its attempts.
//
// # Testing
//
// Package [github.com/go-kii/kii/kiitest] is a Kii Cloud in memory, with accounts, messages, faults
// and a clock.
package kii
