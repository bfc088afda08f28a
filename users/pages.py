"""The pages that links in mails and on the console lead to. Opening one spends nothing: a mail
scanner follows links too. Only the form does, with the token from the link's fragment, which no
server and no log ever sees, or pasted by hand."""

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from core.errors import DomainError, ErrorCode
from core.result import Failure, Result
from core.throttling import throttled
from core.validation import LONGEST_PASSWORD
from users import wiring
from users.application.addresses import ChangeEmail
from users.application.administration import CreateAdmin
from users.application.passwords import ChoosePassword
from users.application.registration import VerifyEmail


def _token_field() -> forms.CharField:
    widget = forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "data-token": ""})
    return forms.CharField(max_length=256, widget=widget)


class VerifyEmailForm(forms.Form):
    token = _token_field()
    password = forms.CharField(
        label="The password that you chose",
        max_length=LONGEST_PASSWORD,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


class ChangeEmailForm(forms.Form):
    token = _token_field()
    password = forms.CharField(
        label="The password of your account",
        max_length=LONGEST_PASSWORD,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


class ChoosePasswordForm(forms.Form):
    token = _token_field()
    password = forms.CharField(
        label="A new password of at least 12 characters",
        max_length=LONGEST_PASSWORD,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )


class SetUpForm(forms.Form):
    token = _token_field()
    email = forms.CharField(
        label="Your e-mail address",
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "username"}),
    )
    password = forms.CharField(
        label="A password of at least 12 characters",
        max_length=LONGEST_PASSWORD,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    return render(request, "users/home.html")


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@throttled("one_use_token")
def verify_email(request: HttpRequest) -> HttpResponse:
    form = VerifyEmailForm(_sent(request))
    if form.is_valid() and _accepted(
        form, wiring.verify_email().handle(VerifyEmail(**form.cleaned_data))
    ):
        return _done(request, "Your e-mail address is confirmed. You can sign in now.")
    return _page(request, form, "Confirm your e-mail address", "Confirm")


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@throttled("one_use_token")
def set_up(request: HttpRequest) -> HttpResponse:
    form = SetUpForm(_sent(request))
    if form.is_valid():
        values = form.cleaned_data
        command = CreateAdmin(
            email=values["email"], password=values["password"], setup_token=values["token"]
        )
        if _accepted(form, wiring.create_admin().handle(command)):
            return _done(request, "The first admin is made.", link="/admin/", label="Sign in")
    return _page(request, form, "Make the first admin", "Make the account")


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@throttled("one_use_token")
def change_email(request: HttpRequest) -> HttpResponse:
    form = ChangeEmailForm(_sent(request))
    if form.is_valid() and _accepted(
        form, wiring.change_email().handle(ChangeEmail(**form.cleaned_data))
    ):
        return _done(request, "Your e-mail address is changed. Sign in with the new one.")
    return _page(request, form, "Confirm your new e-mail address", "Change the address")


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@throttled("one_use_token")
def reset_password(request: HttpRequest) -> HttpResponse:
    form = ChoosePasswordForm(_sent(request))
    if form.is_valid() and _accepted(
        form, wiring.reset_password().handle(ChoosePassword(**form.cleaned_data))
    ):
        return _done(request, "Your password is changed. You can sign in with it now.")
    return _page(request, form, "Choose a new password", "Change the password")


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@throttled("one_use_token")
def accept_invitation(request: HttpRequest) -> HttpResponse:
    form = ChoosePasswordForm(_sent(request))
    if form.is_valid() and _accepted(
        form, wiring.accept_invitation().handle(ChoosePassword(**form.cleaned_data))
    ):
        return _done(request, "Your account is ready. You can sign in now.")
    return _page(request, form, "Choose your password", "Accept the invitation")


def _sent(request: HttpRequest) -> QueryDict | None:
    return request.POST if request.method == "POST" else None


def _accepted(form: forms.Form, result: Result[Any, DomainError]) -> bool:
    if isinstance(result, Failure):
        field = getattr(result.error, "field", None)
        if result.error.code is ErrorCode.INVALID_CREDENTIALS:
            field = "password"
        form.add_error(field if field in form.fields else None, result.error.message)
    return result.is_success


def _page(request: HttpRequest, form: forms.Form, title: str, action: str) -> HttpResponse:
    context = {"form": form, "title": title, "action": action}
    return render(request, "users/form.html", context, status=400 if form.errors else 200)


def _done(
    request: HttpRequest, message: str, link: str = "/", label: str = "Go on"
) -> HttpResponse:
    context = {"title": message, "link": link, "label": label}
    return render(request, "users/done.html", context)
