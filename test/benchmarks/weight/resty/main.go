// A program that asks for a reset with nothing but resty.
package main

import (
	"log"

	"github.com/go-resty/resty/v2"
)

func main() {
	resp, err := resty.New().R().
		SetHeader("Content-Type", "application/vnd.kii.ResetPasswordRequest+json").
		SetBody(`{"notificationMethod":"EMAIL"}`).
		Post("https://api-jp.kii.com/api/apps/app/users/user/password/request-reset")
	if err != nil {
		log.Fatal(err)
	}
	log.Print(resp.Status())
}
