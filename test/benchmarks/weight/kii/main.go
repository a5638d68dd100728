// A program that asks for a reset by kii.
package main

import (
	"context"
	"log"

	"github.com/go-kii/kii"
)

func main() {
	client, err := kii.New("app", "key", kii.SiteJP)
	if err != nil {
		log.Fatal(err)
	}
	log.Print(client.User.ResetPassword(context.Background(), "user", kii.NotificationEmail))
}
