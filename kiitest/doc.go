// Package kiitest is a Kii Cloud in memory, for the tests of a program that uses package kii. It
// has accounts, tokens, messages and the portal's settings, and every way in which a reset can go
// wrong.
//
//	srv := kiitest.NewServer(kiitest.WithTest(t))
//	client, err := kii.New(srv.AppID(), srv.AppKey(), srv.Site())
//	id := srv.AddAccount(kiitest.Account{Phone: "+819012341234", PhoneVerified: true, Password: "old-pass"})
//	err = client.User.ResetPassword(ctx, id, kii.NotificationSMSPIN)
//	msg, ok := srv.LastMessage(id) // msg.PIN is what the user would read on the phone
//
// An administrator logs in with [Server.ClientID] and [Server.ClientSecret]. Nothing is ever sent,
// and no server of Kii is ever called.
//
// # Socket or none
//
// [NewServer] listens on loopback, so that any client reaches it by [Server.Site]. A server made
// with [WithoutSocket], or inside a [testing/synctest] bubble, starts in microseconds and is
// reached through [Server.Transport], which handles a call in the caller's goroutine. So a test can
// let the ten minutes of a PIN pass in no time. A Server belongs to the bubble that it was made in,
// or to none. Used across the edge it would see time jump by decades, and no code would expire. It
// reports that instead: it fails the test of [WithTest], or panics if there is none, and answers
// calls with 500. Outside a bubble, [Server.Advance] moves the server's clock.
//
// Codes, links and tokens expire at the exact moment: valid a nanosecond before [Message.Expires],
// expired at it.
//
// # Faults
//
// [Server.Inject] makes the nth call of an operation go wrong, so that a test is the same in each
// run: an error of Kii Cloud, a limit, a captive portal's web page, a redirect, a broken
// connection, an answer that is lost although the call took effect. [Server.Calls] shows what
// arrived, what was answered, and why, in words: "bob has no password".
//
// # Bounds
//
// A server keeps at most 10,000 messages with their links, 10,000 calls with the first 4 KB each of
// path, query, header and body and of what was answered, and 100,000 tokens, dead ones included.
// When one of these is full, its oldest tenth goes, so that a token works at least until 90,000
// newer ones were given out. A request of more than 128 KB is answered 413. Accounts and faults
// have no bound.
//
// # State
//
// [Server.Snapshot] returns settings, assumptions and accounts, and [Server.Restore] takes them
// back. Whatever a call can create, Restore and [Server.PutAccount] accept. Each method and each
// call is one change, except [Server.VisitLinks], which is a call for each link: what runs at the
// same time sees the state before the change or after it. Validate methods return a [FieldError]
// for each field that is wrong.
//
// # What is emulated
//
// Paths are below [Server.Site]. Unknown query parameters are ignored, as the JavaScript SDK adds
// one to each URL. A call without a token names the app by X-Kii-AppID or by Basic authorization.
// The key is checked only for an anonymous login: in all other calls Kii Cloud accepts any. A
// {user} is a user ID, me, or EMAIL:, PHONE: or LOGIN_NAME: and an address. Several users may have
// the same address, but at most one of them verified: the address names that one.
//
//	request-reset        POST     /apps/{app}/users/{user}/password/request-reset              link by e-mail or SMS, or PIN by SMS; no body: by e-mail
//	request-reset        POST     /apps/{app}/users/{user}/password/reset                      the oldest form: EMAIL:… and no body
//	complete-reset       POST     /apps/{app}/users/{user}/password/complete-reset             by PIN; chosen or generated password
//	open-link            GET      /apps/{app}/password-reset/{link}                            the page behind a link; in the Generate flow this resets
//	open-link            HEAD     /apps/{app}/password-reset/{link}                            changes nothing
//	submit-link          POST     /apps/{app}/password-reset/{link}                            the form of the Input flow
//	login                POST     /oauth2/token                                                password; JSON or form; expiresAt
//	login                POST     /apps/{app}/oauth2/token                                     the same
//	refresh              POST     /oauth2/token                                                grant_type=refresh_token, single use, on both paths
//	anonymous-login      POST     /oauth2/token                                                grant_type=client_credentials with the app's ID and key, on both paths
//	admin-login          POST     /oauth2/token                                                the same with the administrator's ID and secret, also without grant_type
//	get-user             GET      /apps/{app}/users/{user}                                     the whole of one's own record, the public part of others'; an administrator reads all
//	delete-user          DELETE   /apps/{app}/users/{user}                                     oneself
//	query-users          POST     /apps/{app}/users/query                                      administrators; clauses eq and all, in one page
//	register             POST     /apps/{app}/users                                            with or without login; custom fields; local phone with a country
//	change-password      PUT      /apps/{app}/users/{user}/password                            one's own; an administrator needs no oldPassword
//	get-address          GET      /apps/{app}/users/{user}/email-address                       one's own
//	get-address          GET      /apps/{app}/users/{user}/phone-number                        likewise
//	change-address       PUT      /apps/{app}/users/{user}/email-address                       one's own, pending if the portal asks for verification; an administrator's may be verified
//	change-address       PUT      /apps/{app}/users/{user}/phone-number                        likewise
//	verify-address       POST     /apps/{app}/users/{user}/email-address/verify                by code, although Kii Cloud's mail has a link
//	verify-address       POST     /apps/{app}/users/{user}/phone-number/verify                 by code
//	resend-verification  POST     /apps/{app}/users/{user}/email-address/resend-verification   the same code again
//	resend-verification  POST     /apps/{app}/users/{user}/phone-number/resend-verification    likewise
//	read-code            GET      /apps/{app}/users/{user}/email-address/verification-code     administrators
//	read-code            GET      /apps/{app}/users/{user}/phone-number/verification-code      administrators
//	reset-code           POST     /apps/{app}/users/{user}/phone-number/reset-verification-code administrators; a new code, in the answer
//	get-status           GET      /apps/{app}/users/{user}/status                              administrators
//	set-status           PUT      /apps/{app}/users/{user}/status                              administrators; disables, which ends all tokens, or enables
//	get-parameters       GET      /apps/{app}/configuration/parameters                         administrators; the settings
//	preflight            OPTIONS  *                                                            CORS, for each origin
//
// An administrator's token works on the calls above for any user, but not as users/me.
//
// Not emulated, and answered 501 OPERATION_NOT_IMPLEMENTED: updating users, groups, buckets and
// objects, things, push, social networks, multi-factor login, changing the settings. Not emulated
// either: expiry of refresh tokens, the rate limit (see [FaultRateLimit]), the delay of a message.
//
// # ASSUMED
//
// Where no public page says what Kii Cloud does, a choice had to be made. Each choice has a name,
// holds by default, and can be turned off by [WithAssumption]. The last column is the public
// evidence for it:
//
//	UnverifiedAddressIsUnknown     404 USER_NOT_FOUND              else 409 INVALID_STATUS                  the guide: a login needs a verified address
//	EmailCaseMatters               other case, other user          else the same user                       nothing
//	LoginNameResets                LOGIN_NAME:… finds the user     else 404 USER_NOT_FOUND                  the reference lists it as an accountType of the path
//	MeCanRequestReset              users/me with a user's token    else 404 USER_NOT_FOUND                  complete-reset has a page for users/me
//	BadChannelIsInvalidInput       400 INVALID_INPUT_DATA          else 400 INVALID_JSON                    complete-reset's page; the Unity SDK's test has the other
//	SMSDefaultsToLink              SMS without smsResetMethod      else 400                                 the JavaScript SDK leaves it out for a link
//	NewerRequestReplacesOlder      the older PIN or link is dead   else all live until they expire          nothing
//	ResetEndsOtherRequests         a new password ends the rest    else they live until they expire         nothing
//	CodesAreSingleUse              a PIN or link resets once       else until it expires                    nothing
//	NoPendingPINIsWrongPIN         403 INVALID_VERIFICATION_CODE   else 409 INVALID_STATUS                  nothing
//	OnlyRightPINExpires            a wrong PIN is 403 at all times else 410 once the right one has expired  nothing
//	WrongPINsAreUnlimited          any number                      else the fifth ends the PIN              no limit is documented
//	PINCheckedBeforePassword       403 before 400                  else 400 before 403                      nothing
//	BadPasswordKeepsPIN            the PIN works again             else it is used up                       nothing
//	NewPasswordKillsRefreshTokens  they die with access tokens     else they live                           the guide names only access tokens
//	InputResetIsSilent             no message                      else one that says so                    the portal has a template "Password Reset Successful"
//	DisabledIsUnauthorized         401 USER_DISABLED on a reset    else 403                                 the JavaScript SDK's table: 401
//	DeadTokenIsForbidden           403 WRONG_TOKEN                 else 401 UNAUTHORIZED                    the JavaScript SDK's table: 403
//	WrongLoginIsBadRequest         400 invalid_grant               else 401 invalid_grant                   the JavaScript SDK's parser: 400
//	DisabledLoginSaysSo            401 USER_DISABLED               else invalid_grant                       the JavaScript SDK's table lists it
//	ChangedPasswordMustDiffer      400 INVALID_INPUT_DATA          else 204                                 documented for complete-reset
//	VerifiedUnlessRequired         registered addresses verified   else not                                 the guide: to register by address, turn verification off
//	OtherUsersAreReadable          200, the public part            else 401 UNAUTHORIZED                    the reference has users/{type:address}
//	CallsMustNameTheApp            401 UNAUTHORIZED                else the call is served                  the reference: Authorization is required
//	AnyContentTypeWillDo           the body is read as it is       else 400 INVALID_DATA_TYPE               the reference calls application/json tolerated for a login
//	ResetsOutliveTheirAddress      an old link or PIN works        else a new address ends it              nothing
//	ResendRepeatsTheCode           the code that was sent before   else a new one                          a live test of a third party's
//	VerifyTellsStatus              200 with verificationStatus     else 204                                the reference: 200; the Unity SDK's test: 204
//	VerifiedIsForAdmins            401 UNAUTHORIZED for a user     else verified is ignored                the reference: for admin credentials only
//	NamelessIsInvalidInput         400 INVALID_INPUT_DATA          else 400 NO_ACCOUNT_PROVIDED            a live test; the JavaScript SDK's table lists the other
//	RegistrationTellsRecord        201 with the whole record       else with userID only                   live tests; the guide shows userID
//	DisabledIsBoolean              _disabled: false                else "false"                            a live test; the Unity SDK's test has the other
//	WrongTokenIsEchoed             accessToken in the body         else none                               a test of the thing-if SDK
//	InvalidFieldsAreNamed          invalidFields in the body       else none                               a live log of a bad login name
//	ErrorsHaveACode                errorCode in each body          else only the content type names it     a third party's client expects both
//	WrongClientIsWrongLogin        as a wrong password             else 400 invalid_client                 a third party's test
//	AdminPasswordEndsTokens        the user's tokens end           else they live                          the guide says so of the user's own change
//	AdminMayRepeatPassword         204                             else 400 INVALID_INPUT_DATA             nothing
//	AdminOldPasswordIsIgnored      204, whatever it is             else 401 WRONG_PASSWORD                 the reference: not needed from an admin
//	ResetCodeIsSilent              no message                      else one with the new code              nothing
//	UnknownFieldsAreIgnored        they change nothing             else 400 INVALID_INPUT_DATA              nothing
//
// Numbers that are not documented are [Settings]: how long a PIN, a link and a code live, and the
// least length of a password. The following choices have no switch:
//
//   - the path of link pages, and what they show
//   - the wording of messages, and the names in a [Template]
//   - six digits for a PIN
//   - the flow that is set when a link is opened counts, not that when it was sent
//   - a link that cannot reset goes to FailureURL, whatever the reason
//   - a registration with nothing but an address that must be verified, which the guide calls an
//     error, is INVALID_INPUT_DATA
//   - an expiresAt beyond the maximum is INVALID_INPUT_DATA
//   - any code that expired is PHONE_NUMBER_VERIFICATION_CODE_EXPIRED, and is not sent again
//   - the value of passwordResetMethod
//   - the message of each error
//
// The tests of this package check each assumption against a real app if KII_APP_ID and the other
// variables that assumptions_test.go lists are set, and print which of them hold.
package kiitest
