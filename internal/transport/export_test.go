package transport

import "net/http"

// Own returns the library's own transport, for tests that give it roots and a network.
func (c *Client) Own() *http.Transport { return c.own }
