package emulator

// What the emulator uses if the options leave it out.
const (
	DefaultAddr   = "127.0.0.1:8484"
	DefaultAppID  = "emulator"
	DefaultAppKey = "emulator-key"
)

// Options are what the command line chooses.
type Options struct {
	Addr   string // where to listen; port 0 takes a free one
	Expose string // the host that other machines call the emulator by; empty: only loopback
	Seed   string // the file to start with; empty: no users, default settings
	Export string // the file to write on exit; empty: none
	PIN    string // every PIN and verification code; empty: random ones
	AppID  string
	AppKey string // shown nowhere unless it is DefaultAppKey
}
