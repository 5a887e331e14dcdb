"""Signing in and out over the web."""


def test_sign_in_opens_and_sign_out_ends_the_session(client, ines):
    client.sign_in(ines)
    assert client.get("/login").status_code == 302
    key = client.get_cookie("omix").value
    client.get("/register")
    assert client.send("/logout").status_code == 303
    client.set_cookie("omix", key)
    assert client.get("/login").status_code == 200
