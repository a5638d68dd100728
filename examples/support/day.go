package main

import (
	"github.com/go-kii/kii/examples/internal/demo"
	"github.com/go-kii/kii/kiitest"
)

// day adds users who need help to the in-memory Kii Cloud, and returns the answers of the desk.
func day(srv *kiitest.Server) []string {
	srv.AddAccount(kiitest.Account{LoginName: "bob", Email: "bob@exmaple.com", Password: "forgotten"})
	srv.AddAccount(kiitest.Account{LoginName: "carol", Phone: "+819022222222", PhoneVerified: true, Password: "stolen", Disabled: true})
	srv.AddAccount(kiitest.Account{LoginName: "dave", Email: "dave@example.com", EmailVerified: true})
	return []string{
		// Alice can help herself. A message is all that she needs.
		demo.Email, "3", "yes", "",
		// Bob's address has a typo, so no message ever came.
		"bob@exmaple.com",
		"LOGIN_NAME:bob", "1", "bob@example.com", "yes", "1", "yes", "",
		// Carol's account was disabled when her password was stolen. She gets another one.
		"+819022222222", "3", "after-the-theft", "yes", "4", "yes", "",
		// Dave never had a password.
		"LOGIN_NAME:dave", "",
		"",
	}
}
