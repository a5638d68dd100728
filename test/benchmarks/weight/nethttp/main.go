// A program that asks for a reset with nothing but net/http: the others are compared with it.
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
