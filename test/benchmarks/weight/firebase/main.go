// A program that asks for a reset by the Firebase admin SDK.
package main

import (
	"context"
	"log"

	firebase "firebase.google.com/go/v4"
)

func main() {
	ctx := context.Background()
	app, err := firebase.NewApp(ctx, &firebase.Config{ProjectID: "project"})
	if err != nil {
		log.Fatal(err)
	}
	client, err := app.Auth(ctx)
	if err != nil {
		log.Fatal(err)
	}
	_, err = client.PasswordResetLink(ctx, "alice@example.com")
	log.Print(err)
}
