package kii

// NotificationMethod is the way by which a user is told how to reset the password: the
// KiiUser.NotificationMethod of Kii's SDKs.
type NotificationMethod string

// The three ways. Each needs the address that it goes to, not the one that names the user, to be
// verified. What a link or a PIN then does depends on the app's Password Reset Flow, a setting of
// the developer portal: "Generate Password", the default, or "Input Password".
const (
	NotificationEmail  NotificationMethod = "EMAIL"   // an e-mail with a link
	NotificationSMS    NotificationMethod = "SMS"     // an SMS with a link
	NotificationSMSPIN NotificationMethod = "SMS_PIN" // an SMS with a PIN code, for CompleteResetPassword
)

// resetRequests are the bodies that ask for a reset. They are constant, so no call marshals one,
// which would take three allocations. SMS_PIN is a name of the SDKs and never sent.
var resetRequests = map[NotificationMethod][]byte{
	NotificationEmail:  []byte(`{"notificationMethod":"EMAIL"}`),
	NotificationSMS:    []byte(`{"notificationMethod":"SMS","smsResetMethod":"URL"}`),
	NotificationSMSPIN: []byte(`{"notificationMethod":"SMS","smsResetMethod":"PIN"}`),
}
