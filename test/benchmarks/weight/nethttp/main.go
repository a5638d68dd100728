// A program that asks for a reset by net/http alone: the least that the others are compared with.
package main

import (
	"log"
	"net/http"
	"strings"
)

func main() {
	resp, err := http.Post("https://api-jp.kii.com/api/apps/app/users/user/password/request-reset",
		"application/vnd.kii.ResetPasswordRequest+json", strings.NewReader(`{"notificationMethod":"EMAIL"}`))
	if err != nil {
		log.Fatal(err)
	}
	defer resp.Body.Close()
	log.Print(resp.Status)
}
