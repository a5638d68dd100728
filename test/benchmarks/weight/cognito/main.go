// A program that asks for a reset by the AWS SDK.
package main

import (
	"context"
	"log"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
)

func main() {
	client := cognitoidentityprovider.New(cognitoidentityprovider.Options{Region: "eu-west-1"})
	_, err := client.ForgotPassword(context.Background(), &cognitoidentityprovider.ForgotPasswordInput{
		ClientId: aws.String("client"), Username: aws.String("alice@example.com"),
	})
	log.Print(err)
}
