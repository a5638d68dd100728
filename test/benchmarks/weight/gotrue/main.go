// A program that asks for a reset by gotrue-go.
package main

import (
	"log"

	"github.com/supabase-community/gotrue-go"
	"github.com/supabase-community/gotrue-go/types"
)

func main() {
	log.Print(gotrue.New("project", "key").Recover(types.RecoverRequest{Email: "alice@example.com"}))
}
